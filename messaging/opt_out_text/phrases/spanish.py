"""Spanish phrases."""

from messaging.opt_out_text.phrases import END, any_of

_MESSAGES = (
    r"mensajes?|mensajitos|textos?|textitos|sms|llamadas?|publicidad|promociones|ofertas|anuncios|spam"
    r"|notificaciones|alertas"
    r"|recordatorios|correos|avisos|propaganda|msjs?|msgs|texts|whatsapps?"
)
_CONTACT = (  # subjunctive and imperative: (no me) escriban
    r"envi(?:en?|es)|mand(?:en?|es)|escrib(?:an?|as)|contact(?:en?|es)|molest(?:en?|es|ar)|llam(?:en?|es|ar)|texte"
    r"(?:en?|es|e)|hable[ns]?"
    r"|marque[ns]?|bu(?:sque[ns]?)|fastidie[ns]?|vuelva[ns]? a \w+|vuelva[ns]?|sigan? \w+|comunique[ns]?|insista[ns]?"
)
_CONTACTING = (  # infinitive and gerund: dejen de escribir
    r"(?:enviar|mandar|escribir|llamar|molestar|textear|contactar|marcar|hablar|fastidiar|comunicar|insistir|acosar"
    r"|hostigar|mensajear|spamear|"
    r"enviando|mandando|escribiendo|llamando|molestando|texteando|contactando|marcando)\w*"
)
_STOP = (
    r"dej(?:e|en|a|ar|es|ame|enme) ?(?:ya )?de|par(?:e|en|a|ar|es) (?:ya )?(?:de|con)|basta (?:ya )?(?:de|con)|ces"
    r"(?:e|en|ar) (?:de|con)?|eviten?|alto (?:a|con)|suspend\w+|deten\w+"
)
_GIVE = (
    r"doy|di|he dado|dimos|autorizo|autorice|he autorizado|autorizamos|consiento|consenti|acepto|acepte|permito"
    r"|tienen?|tienes"
)

SPANISH = any_of(
    r"(?:(?:^|\. )(?:\w+ )?|\b(?:favor de|por favor|pid\w+|solicit\w+|exij\w+|ruego) (?:que )?(?:ya )?)no (?:me )?"
    r"(?:volver a )?(?:enviar|mandar|escribir|llamar|molestar|textear|contactar)(?:me|nos|le|les)?\b(?! (?:el|la"
    r"|antes|hasta)\b)",
    rf"\bno (?:me |nos |le |lo |se )?(?:mas |vuelvan? a |sigan? |quiero que )?(?:me |nos )?(?:{_CONTACT})\b(?! "
    rf"(?:a mi (?:esposo|marido|esposa)|el (?:lunes|martes|miercoles|jueves|viernes))\b)"
    r"(?!.*\b(?:mejor|solo) (?:llam|escrib|mand|texte)\w*)(?! antes)(?! hasta)(?! (?:a nadie|a alguien"
    rf"|al \w+)\b)(?! (?:el|la|los|las|un|una) "
    rf"(?:recibo|factura|cotizacion|contrato|equipo|tecnico|trabajador\w*|camion|cheque|inspector\w*))",
    rf"\b(?:nunca|jamas) (?:mas )?(?:me |nos )(?:{_CONTACT})\b",
    rf"(?:\b(?:paren?|parar|deten\w*|suspend\w+|cancel\w+|elimin\w+|bloque\w+|quit\w+|basta|alto|stop|eviten?)|(?:^"
    rf"|\. )para) (?:(?:ya|a|con|de|los|las|sus|estos|esos|todos|todas|tus|tantos) ){{0,3}}(?:{_MESSAGES})\b",
    rf"\b(?:{_STOP}) (?:\w+ ){{0,2}}(?:{_CONTACTING}|{_MESSAGES})",
    rf"\b(?:ya )?no (?:quiero|queremos|deseo|deseamos|necesito|necesitamos|quisiera|me gustaria"
    rf"|estoy interesad[oa] en|me interesan?) (?:\w+ ){{0,4}}"
    rf"(?:{_MESSAGES}|recibir|contacto|comunicacion|mas informacion|{_CONTACTING}|que me \w+|que nos \w+|saber "
    rf"(?:nada )?de ustedes|nada de ustedes|sus servicios)\b",
    rf"(?:^|\. )(?:\w+ ){{0,4}}(?:no (?:me|nos) interesa|no (?:estoy|estamos) interesad[oa]s?)(?: (?:nada"
    rf"|gracias|por favor|senora?"
    rf"|por ahora|ya|mas|lo que venden?|en su \w+|su \w+|sus \w+))*{END}",
    rf"\b(?:ni un|ningun|ya no|no) (?:mas )?(?:{_MESSAGES})(?: mas)?(?={END}| por favor| gracias| de ustedes| a este)",
    rf"\bno mas (?:{_MESSAGES}|contacto|comunicacion)\b",
    rf"\bcancel\w+ (?:\w+ ){{0,3}}(?:{_MESSAGES}|suscripcion|subscripcion|envios?|inscripcion)\b",
    r"\b(?:quit|saqu|saca|borr|elimin|remuev|remover|retir|tach|suprim|excluy|descart|quiten)\w* (?:\w+ ){0,4}"
    r"(?:lista|numero|base de datos|registros?|sistema|datos|contactos?|nombre|informacion)\b(?! (?:de la casa"
    r"|equivocad))",
    r"\b(?:saquenme|quitenme|quiteme|saqueme|borrenme|borreme|eliminenme|elimineme|sacame|quitame|borrame|eliminame"
    r"|remuevanme)\b",
    r"\b(?:darme|darnos|deme|denme|dar|doy|dame|den) de baja\b",
    r"\b(?:desuscrib|desinscrib|desubscrib|dessuscrib|anular (?:la )?su[bs]scripcion|desapunt)\w*",
    # Consent
    rf"\b(?:no|nunca|jamas|ya no) (?:\w+ )?(?:{_GIVE}) (?:\w+ ){{0,3}}(?:permiso|consentimiento|autorizacion"
    rf"|{_MESSAGES}|que me \w+|que nos \w+|mi numero|este contacto|contacto|esto|eso|nada)\b",
    r"\b(?:revoco|retiro|cancelo|anulo|revocar|retirar|quito) (?:\w+ ){0,2}(?:consentimiento|permiso"
    r"|autorizacion)\b",
    r"\b(?:consentimiento|permiso|autorizacion) (?:\w+ )?(?:revocad|retirad|cancelad)[oa]\b",
    rf"\b(?:no|nunca) (?:me )?(?:suscribi|inscribi|registre|apunte|pedi|solicite)(?={END}| (?:a|para|esto|estos?"
    rf"|estas?|esos?|mensajes|nada|sus?|ningun\w*)\b)",
    r"\bsin mi (?:permiso|consentimiento|autorizacion)\b",
    # Somebody else's number
    r"\b(?:numero|persona|telefono|celular) (?:es |esta )?(?:equivocad[oa]|incorrect[oa]|erroneo|erronea)\b(?! en "
    r"(?:la|el))",
    r"\b(?:se )?(?:equivoc\w+|confund\w+) (?:de|el) (?:numero|persona|telefono)\b",
    r"\b(?:usted(?:es)? )?(?:se equivocaron|se equivoco"
    rf"|(?<!numero )(?<!medida )(?<!direccion )(?<!fecha )esta equivocad[oa](?! en)|estan equivocad[oa]s"
    rf"|me confunde[ns]?|me estan confundiendo)(?= |{END})",
    r"\b(?:este|ese|el|esta|esa|la) (?:\w+ )?(?:numero|telefono|celular|linea) (?:ya )?(?:no (?:es|pertenece"
    r"|le pertenece|corresponde)|pertenece a|es de otr\w+|cambio de|ahora (?:es|pertenece)|tiene (?:otro|nuevo)"
    r"|lo tiene otr\w+)",
    r"\bno (?:es|era) (?:el )?(?:numero|telefono|celular) de\b(?! la (?:casa|factura|orden))",
    r"\bno es (?:mi|su) (?:numero|telefono|celular)\b(?! (?:en|de)\b)",
    r"\b(?:no|ya no) (?:tiene|usa|vive|trabaja|esta) (?:en )?(?:este numero|aqui|este telefono|mas aqui)\b",
    r"\bno (?:soy|es) (?:la persona|quien|el que|la que|esa persona|ella|el senor|la senora)\b",
    r"\bno conozco a\b",
    r"\baqui no (?:vive|hay|esta|trabaja) (?:ningun\w*|nadie|esa persona|ese senor|\w+)(?: \w+){0,2}(?= \.|$)",
    r"\bnadie (?:con ese nombre|que se llame|llamado)\b",
    r"\b(?:acabo de|recien) (?:\w+ )?(?:obtener|recibir|tener|comprar|adquirir|adquiri|compre|recibi) este "
    r"(?:numero|telefono)\b",
    # Anger
    r"\b(?:dejeme|dejenme|dejen me|dejame|dejenos|dejennos) (?:\w+ )?(?:en paz|tranquil[oa]s?)\b",
    r"\bno (?:molest|fastidi|jod|chin)\w+",
    r"\bdej(?:e|en|a) de (?:molest|fastidi|jod|chin)\w*",
    r"\b(?:los?|las?|te) (?:voy a )?(?:reportar\w*|denunciar\w*|demandar\w*|bloquear\w*|reporto|denuncio|bloqueo)\b",
    r"\b(?:voy a )?(?:reportar|denunciar|demandar|bloquear)(?:los|las|lo|la|te|le|les)\b",
    r"\b(?:esto |eso |esto ya )?es (?:\w+ )?(?:acoso|spam|estafa|hostigamiento|hostigacion)\b",
    r"\b(?:larguense|larguese|vayase|vayanse al)\b",
    r"\b(?:pierda|olvide|pierdan|olviden|borre|borren) (?:mi|este) numero\b",
    r"(?:^|\. )(?:por favor )?(?:ya )?(?:basta|parenle|parele|dejenlo|ya estuvo|ya no mas|no mas)(?: (?:ya"
    r"|por favor|gracias|con esto|de esto|porfa))*(?= \.|$)",
    r"\b(?:ya )?(?:pare(?:n|nle|le)|parale|bajenle|bajele) (?:ya )?(?:con|a|de) (?:los |las |sus |tantos "
    rf"|tanto |el |tanta )*(?:{_MESSAGES})\b",
    rf"\b(?:hart[oa]s?|cansad[oa]s?) (?:de|con) (?:\w+ ){{0,3}}(?:{_MESSAGES}|{_CONTACTING}|ustedes)\b",
)
