"""The languages that prose is analysed by: their stemmers, and the function words that questions are asked with."""

from __future__ import annotations

STEMMED = {
    **{"en": "english", "de": "german", "es": "spanish", "fr": "french", "it": "italian", "pt": "portuguese"},
    **{"nl": "dutch", "sv": "swedish", "da": "danish", "no": "norwegian", "fi": "finnish"},
}
"""Snowball's name of each language of prose. Those whose endings are lost with the accents are left out."""
_WORDS = {
    "en": """
        a about above after again against all am an and any are as at be because been before being below between
        both but by can did do does doing don down during each few for from further had has have having he her here
        hers herself him himself his how i if in into is it its itself just me more most my myself no nor not now of
        off on once only or other our ours ourselves out over own s same she should so some such t than that the
        their theirs them themselves then there these they this those through to too under until up very was we were
        what when where which while who whom why will with you your yours yourself yourselves
    """,
    "de": """
        aber als also am an auch auf aus bei bin bis bist da damit das dass dem den denn der des die dies diese
        dieser dieses doch dort du durch ein eine einem einen einer eines er es fur hat ich ihr im in ins ist ja
        kann man mein meine mich mir mit nach nicht noch nur ob oder ohne sein seine sich sie sind so uber um und
        uns unter vom von vor wann war warum was wenn wer werden wie wieso wir wird wo wurde zu zum zur
    """,
    "es": """
        a al algo ante como con cual cuales cuando de del desde donde e el ella ellos en entre era eres es esa ese
        eso esta este esto ha hay la las le les lo los mas me mi mis muy no nos o para pero por porque que quien se
        si sin sobre son su sus te tu tus un una unas uno unos y ya yo
    """,
    "fr": """
        a au aux avec ce ces cet cette comme comment dans de des du elle elles en est et eux il ils je l la le les
        leur lui ma mais me mes moi mon ne nous on ou par pas plus pour pourquoi qu quand que quel quelle qui sa se
        ses si son sont sur ta te tu un une vous y
    """,
    "it": """
        a ad ai al alla alle anche che chi ci come con cosa cui da dal dalla de dei del della delle di dove e ed era
        gli ha i il in io la le lo ma mi mio ne nel nella no non o per perche piu quale quando se si sono su sul
        sulla tra tu un una uno
    """,
    "pt": """
        a ao aos as com como da das de do dos e ela ele em era eu foi ha isso isto ja la lhe mais mas me meu minha
        na nao nas nem no nos o onde os ou para pela pelo por porque quais qual quando que quem sao se sem ser seu
        sua tem um uma voce
    """,
    "nl": """
        aan als bij dan dat de deze die dit door een en er haar heb hebben heeft hem het hij hoe ik in is je kan
        maar me met mij mijn naar niet nog of om onder ons onze ook op over te tot uit van veel voor waar waarom
        wanneer wat we wie wij worden wordt ze zich zij zijn zo
    """,
}
FUNCTION_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
"""By language, in lower case and without accents. English ones are fewer than `rag.text.STOP_WORDS`, which say little:
a word that is dropped here can never be searched for."""
