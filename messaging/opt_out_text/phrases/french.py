"""French phrases, as Canada has them, too."""

from messaging.opt_out_text.phrases import END, any_of

_MESSAGES = (
    r"messages?|textos?|sms|appels?|pubs?|publicites?|promotions?|promos?|offres|notifications|alertes|rappels"
    r"|courriels?|spam|pourriels?|sollicitations?"
    r"|texts|communications?"
)
_CONTACT = (  # infinitive, imperative, present and subjunctive, with the pronoun attached: m'appeler
    r"m?(?:envoy|ecri|appel|contact|derang|harcel|text|sollicit|rappel|ennuy|embet|importun|relanc|parl|telephon"
    r"|spamm)\w*"
)
_STOP = (
    r"d?arret\w*|cess\w+|(?<!dont )(?<!not )(?<!never )stop(?:pez?|per)?|suspend\w+|interromp\w+|mettez fin|finissez"
    r"|evitez"
)

FRENCH = any_of(
    rf"\b(?:{_STOP}) (?:(?:de|d|tout|tous|toutes|maintenant|immediatement|a|aux|au|avec|svp|los|las) )*(?:(?:me"
    rf"|nous|les|ces|vos|mes|des|le|la|cet|cette|l) )*"
    rf"(?:{_CONTACT}|d{_CONTACT}|{_MESSAGES})\b(?! (?:avant|apres|lundi|mardi|a la|chez))",
    rf"\bne (?:me |nous |plus |pas |jamais )*(?:{_CONTACT}) (?:\w+ )?(?:plus|pas|jamais)\b(?! (?:avant|apres \d|le "
    rf"(?:soir|matin)|demain|lundi))(?!.*\b(?:plutot|textez|appelez) moi\b)(?!.*\bplutot\b)",
    r"\bn(?:envoy\w*|ecri\w*|appel\w*) (?:plus|jamais)\b",
    rf"\b(?:demand\w*|prie|veux|voudrais|aimerais|faut) (?:\w+ )?(?:que vous |de |d)?(?:arret\w+|cess\w+){END}",
    rf"\bne (?:plus|pas|jamais) (?:me |nous |etre )?(?:{_CONTACT})\b(?! (?:avant|apres \d))",
    rf"(?:^|\. )(?:svp |s il vous plait )?(?:{_CONTACT}) (?:moi )?(?:plus|pas)(?: (?:svp|merci|jamais"
    rf"|s il vous plait|sil vous plait))?{END}",
    rf"\b(?:ne |n)?(?:veux|voulons|souhaite|souhaitons|desire|desirons|voudrais|aimerais|accepte|tiens) (?:plus|pas"
    rf"|aucun\w*) (?:\w+ ){{0,4}}(?:{_MESSAGES}|recevoir|{_CONTACT}|que vous|de vos|"
    rf"nouvelles|etre|a recevoir|entendre)\b",
    rf"\b(?:plus|pas|aucun|zero|assez) (?:de |d)?(?:vos |ces )?(?:{_MESSAGES})\b(?! (?:recu|encore recu))"
    rf"(?<!recu de message)",
    rf"\brefuse (?:\w+ ){{0,2}}(?:recevoir|{_MESSAGES}|que vous)\b",
    rf"\b(?:marre|assez|tanne|fatigue|ecoeure) (?:de|d) (?:\w+ ){{0,3}}(?:{_MESSAGES}|recevoir)\b",
    r"\b(?:desabonn|desinscri)\w+",
    r"\b(?:annul|resili)\w+ (?:\w+ ){0,2}(?:abonnement|inscription)\b",
    r"\b(?:annulez?|annuler|resiliez?) (?:mon )?(?:abonnement|inscription|labonnement|linscription)\b",
    r"\b(?:retir|enlev|supprim|effac|ray|ot|radi|sort|oubli|perd)\w* (?:moi|nous|mon (?:\w+ )?(?:numero|nom"
    r"|contact)|mes (?:coordonnees|donnees|informations)|ce numero)\b",
    r"\b(?:retire|enleve|supprime|efface|raye|radie|sorti)\w* de (?:votre|vos|cette|la|ces) (?:\w+ )?(?:liste"
    r"|listes|base|fichiers?|contacts)\b",
    # Consent
    r"\b(?:retir|revoqu|annul)\w* (?:mon |tout )?(?:consentement|accord|autorisation|permission)\b",
    r"\bconsentement (?:est )?(?:retire|revoque|annule|refuse)\b",
    r"\b(?:jamais|pas|plus|aucun) (?:\w+ )?(?:donne|autorise|consenti|consens|accepte|inscrit|abonne|permis"
    r"|demande) ?(?:\w+ )?(?:consentement|accord|autorisation|permission|numero|a (?:recevoir|ces|ca|ceci)"
    rf"|a vos|de messages|ces|{END})",
    r"\b(?:nai|nous navons|je nai) (?:jamais|pas) (?:donne|consenti|autorise|demande|accepte) (?:\w+ ){0,3}"
    r"(?:numero|consentement|permission|messages|textos|recevoir|autorisation|accord)\b",
    r"\bsans mon (?:consentement|accord|autorisation)\b",
    # Somebody else's number
    r"\b(?:mauvais|faux|mauvaise|pas le bon|pas la bonne) (?:numero|personne|destinataire)\b(?! (?:sur|dans) (?:la"
    r"|le))",
    r"\b(?:vous (?:vous )?(?:etes )?tromp\w+|vous faites erreur|erreur (?:de|sur le|sur la) (?:numero|personne)"
    r"|tromp\w+ de (?:numero|personne))\b",
    r"\bce (?:numero|telephone|cellulaire|cell) (?:ne |n)?(?:\w+ )?(?:appartient|nappartient|nest|a change"
    r"|est maintenant|est celui|est rendu|a ete reattribue)\b(?! pas en service)",
    r"\bce nest (?:pas|plus) (?:a (?:moi|lui|elle) )?(?:le|mon|son|ce) (?:numero|telephone|cell\w*)\b(?! (?:sur"
    r"|dans) (?:la|le))",
    r"\b(?:nest plus|na plus|nutilise plus) (?:a )?ce numero\b",
    r"\bje ne suis pas (?:la (?:bonne )?personne|cette personne|celui|celle|monsieur|madame|le destinataire)\b",
    r"\bje ne connais (?:pas|personne)\b(?! (?:le|la|les) (?!personne|monsieur|dame|compagnie|nom))",
    r"\b(?:personne|pas de \w+) (?:ici )?(?:de ce nom|a ce nom|ici|a ce numero)\b",
    r"\b(?:viens|venons) d(?:e |)(?:avoir|obtenir|recevoir|prendre) ce numero\b",
    # Anger
    r"\blaiss\w* (?:moi|nous) (?:tranquilles?|en paix)\b",
    r"\b(?:foutez|fichez|foutre|fiche|fous|foute) (?:moi |nous |le camp)?(?:la paix|le camp)?\b",
    r"\b(?:cest|cela est|cest du|quel) (?:\w+ )?(?:harcelement|spam|arnaque|pourriel)\b",
    r"\b(?:vais|allons|vous) (?:vous )?(?:signaler|denoncer|bloquer|poursuivre|bloque|signale)\b",
    rf"(?:^|\. )(?:\w+ ){{0,4}}(?:pas|plus|aucunement) (?:du tout )?interess\w+(?: (?:merci|du tout|svp|desole|par "
    rf"(?:vos|votre|ca) ?\w*))?{END}",
    r"(?:^|\. )(?:non )?(?:ca suffit|assez|(?<!non )stop|arretez|arrete|cessez)(?: (?:tout de suite"
    rf"|immediatement|ca|tout"
    rf"|svp|merci|maintenant|s il vous plait|sil vous plait|avec ca))*{END}",
)
