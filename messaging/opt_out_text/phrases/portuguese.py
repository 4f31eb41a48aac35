"""Portuguese phrases."""

from messaging.opt_out_text.phrases import END, any_of

_MESSAGES = (
    r"mensag(?:em|ens)|msgs?|textos?|sms|ligac(?:oes|ao)|chamadas?|propagandas?|promoc(?:oes|ao)|anuncios|ofertas"
    r"|spam|notificacoes|avisos|lembretes"
    r"|emails|contatos?|publicidade"
)
_CONTACT = (  # subjunctive and imperative: (não me) ligue
    r"envi(?:em?|es|a)|mand(?:em?|es|a)|escrev(?:am?|as|e)|lig(?:uem?|ues|a)|contat(?:em?|es|a)|contact(?:em?|es)"
    r"|perturb(?:em?|a)|incomod(?:em?|a)"
    r"|cham(?:em?)|procur(?:em?)|telefon(?:em?)|fale[m]?|insist(?:am?)|volt(?:em?) a \w+"
)
_CONTACTING = (
    r"(?:enviar|mandar|ligar|escrever|perturbar|incomodar|contatar|contactar|falar|chamar|encher|procurar|mandando"
    r"|enviando|ligando|escrevendo|perturbando|incomodando)\w*"
)

PORTUGUESE = any_of(
    rf"\bnao (?:me |nos |mais |quero que |e para )*(?:{_CONTACT})\b(?! (?:antes|ate|pro meu|para o meu|[oa]s? (?:ar"
    rf"|luz|agua|aquecedor|energia|maquina)))(?!.*\b(?:so|apenas|melhor) (?:mensagem|lig\w+|mand\w+))",
    rf"\b(?:nunca|jamais) mais (?:me )?(?:{_CONTACT})\b",
    rf"\b(?:par(?:e|em|ar|a)|deix(?:e|em|a)|cess(?:e|em)|chega|basta|evit(?:e|em)) (?:ja )?(?:com |de |d)?(?:me "
    rf"|nos |as |essas |estas |tanta |tantas )*(?:{_CONTACTING}|{_MESSAGES})\b",
    rf"(?:\b(?:parem?|parar|cancel\w+|bloque\w+|chega|basta|stop)|(?:^|\. )para) (?:(?:ja|com|de|as|os|essas|estas"
    rf"|suas|todas|tantas) ){{0,3}}(?:{_MESSAGES})\b",
    rf"\bnao (?:quero|queremos|desejo|desejamos|preciso|gostaria de|aceito|pretendo|tenho interesse em) "
    rf"(?:\w+ ){{0,3}}(?:{_MESSAGES}|receber|contato|ser contatad[oa]|que me \w+|ouvir|saber)\b",
    rf"\b(?:sem|nao|nada de|chega de|nao mais|nenhuma) (?:mais )?(?:{_MESSAGES})(?={END}| por favor| obrigad| mais)",
    rf"\bnao mais (?:{_MESSAGES})\b",
    r"\b(?:tir|remov|exclu|retir|apag|delet|elimin|risc)\w* (?:\w+ ){0,4}(?:lista|numero|cadastro|contato|telefone"
    r"|nome|dados|sistema|base)\b(?! (?:da casa|errad))",
    r"\b(?:me (?:tir|remov|exclu|retir|apag|delet)\w*|(?:tire|remova|exclua|retire|apague|tirem|removam) me)\b",
    r"\b(?:quero|queria|gostaria de|preciso|como (?:faco (?:para|pra)|posso)|desejo) (?:\w+ )?(?:sair|cancelar"
    r"|parar de receber)(?= (?:da|desta|dessa|deste|isso|a inscricao|essas)| \.|$)",
    r"\b(?:descadastr|desinscrev)\w+",
    r"\bcancel\w+ (?:\w+ ){0,2}(?:inscricao|assinatura|cadastro|mensagens|envio|subscricao)\b",
    # Consent
    r"\bnao (?:\w+ )?(?:autorizo|autorizei|dei|dou|consinto|consenti|permito|aceitei|permiti) (?:\w+ ){0,3}"
    r"(?:mensag\w+|contato|permissao|autorizacao|consentimento|que me \w+|numero|ligacoes|isso|este|esse)\b",
    rf"\bnao (?:me )?(?:inscrevi|cadastrei|pedi|solicitei)(?={END}| (?:para|pra|isso|essas|estas|mensagens|nada"
    rf"|nisso|em)\b)",
    r"\b(?:revogo|retiro|cancelo) (?:\w+ ){0,2}(?:consentimento|permissao|autorizacao)\b",
    r"\b(?:consentimento|permissao|autorizacao) (?:\w+ )?(?:revogad|retirad|cancelad)[oa]\b",
    r"\b(?:voces?|vcs?) nao tem? (?:\w+ )?(?:permissao|autorizacao|consentimento)\b",
    r"\bsem (?:a )?minha (?:permissao|autorizacao)\b",
    # Somebody else's number
    r"\b(?:numero|telefone|pessoa) (?:esta |e )?(?:errad[oa]|incorret[oa]|enganad[oa])\b(?! na (?:fatura|nota))",
    r"\b(?:errou|erraram) (?:o|de) (?:numero|pessoa|telefone)\b",
    r"\b(?:voce|vc|voces|vcs) (?:esta |ta |estao )?(?:engan\w+|se enganou|se enganaram|errou o|errou de"
    r"|ligou errado|mandou errado)",
    rf"(?:^|\. )(?:foi |e |acho que (?:e|foi) )?(?:um )?engano{END}",
    r"\b(?:este|esse|o) (?:\w+ )?(?:numero|telefone|celular) (?:ja )?(?:nao (?:e|pertence|e mais)|"
    r"(?:agora )?pertence a|agora e|e de outr\w+|mudou de|trocou de)",
    r"\bnao e (?:mais )?(?:o )?(?:meu|seu) (?:numero|telefone|celular)\b(?! (?:na|no|da|do)\b)",
    r"\bnao (?:e|era) (?:mais )?o (?:numero|telefone|celular) d\w+\b",
    r"\bnao (?:tem|usa|mora|trabalha|esta) mais (?:neste|nesse|este|esse|aqui|com este)\b",
    r"\bnao (?:sou|e) (?:a pessoa|quem|essa pessoa|o dono|mais o dono|ele|ela|o senhor)\b",
    r"\bnao conheco (?:nenhum\w*|ningu\w+|essa|esse|nada|o|a|\w+)(?: \w+)?(?= \.|$)",
    r"\bninguem (?:aqui )?(?:com esse nome|chamad[oa]|aqui se chama)\b",
    # Anger
    r"\b(?:me|nos) (?:deix\w+) em paz\b",
    r"\bdeix\w+ (?:me|eu|nos) em paz\b",
    r"\b(?:vou|irei) (?:\w+ )?(?:denunciar|bloquear|processar|reportar)\b",
    r"\b(?:isso |isto )?e (?:\w+ )?(?:spam|golpe|assedio|perturbacao|fraude)\b",
    r"\b(?:esquec\w+|perc\w+) (?:o )?(?:meu|este|esse) numero\b",
    rf"(?:^|\. )(?:\w+ ){{0,2}}(?:nao (?:tenho|temos) (?:\w+ )?interesse|sem interesse|nao (?:estou"
    rf"|estamos) interessad\w+|nao me interessa)(?: (?:obrigad[oa]|agora|mais|nisso|por favor|em nada"
    rf"|nos seus servicos))*{END}",
    rf"(?:^|\. )(?:por favor )?(?:ja )?(?:chega|basta|pare|parem|para)(?: (?:ja|com isso|disso|por favor|pf|agora"
    rf"|obrigad[oa]))+{END}",
)
