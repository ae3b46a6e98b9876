"""Sentences in many languages, and the encodings that texts in them are found in."""

from __future__ import annotations

WESTERN = ("cp1252", "iso8859_1", "iso8859_15", "iso8859_9", "cp850", "cp437", "mac_roman", "cp037", "cp500")
CENTRAL = ("cp1250", "iso8859_2", "cp852", "mac_latin2")
CYRILLIC = ("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "mac_cyrillic")
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")

SENTENCES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "German": (WESTERN, (
        "Die Größe des Geräts überrascht viele Käufer beim ersten Öffnen der Verpackung.",
        "Bitte schließen Sie das Netzkabel erst an, wenn alle übrigen Anschlüsse geprüft sind.",
        "Für Schäden durch unsachgemäße Benutzung können wir keine Gewähr übernehmen.",
        "Der nächste Ölwechsel ist nach fünfzehntausend Kilometern fällig.",
    )),
    "French": (WESTERN, (
        "L'été dernier, nous avons loué une maison près de la forêt, où les enfants étaient très heureux.",
        "Vérifiez que l'appareil est débranché avant d'enlever le capot arrière.",
        "Le garçon a mangé un gâteau à la crème brûlée, puis il a demandé du thé.",
        "Ces données seront conservées pendant dix années après la clôture du dossier.",
    )),
    "Spanish": (WESTERN, (
        "El próximo año la compañía abrirá una fábrica más pequeña cerca de la estación.",
        "Según el médico, el niño deberá dormir más y comer menos azúcar.",
        "¿Dónde están las llaves que dejé ayer sobre el escritorio del señor Núñez?",
        "La dirección no responderá de los daños producidos por un uso indebido.",
    )),
    "Portuguese": (WESTERN, (
        "A reunião começará às nove horas e não haverá intervalo até à conclusão da votação.",
        "O avô contou uma história sobre três irmãos que viviam numa pequena povoação.",
        "As informações são confidenciais e não podem ser copiadas sem autorização.",
    )),
    "Italian": (WESTERN, (
        "La città è più bella di notte, quando le strade sono quasi vuote e l'aria è fresca.",
        "Perché il motore funzioni, è necessario che la batteria sia già carica.",
        "Non c'è nessuna possibilità che il libro arrivi entro lunedì.",
    )),
    "Swedish": (WESTERN, (
        "Vänligen läs hela bruksanvisningen innan du använder maskinen för första gången.",
        "På hösten går många människor ut i skogen för att plocka svamp och bär.",
        "Åtgärderna måste vara färdiga före årets slut, annars återkrävs bidraget.",
    )),
    "Danish": (WESTERN, (
        "Børnene løb over gården, mens regnen begyndte at falde på det grønne græs.",
        "Læs venligst vejledningen, før du åbner døren til maskinen.",
        "Mødet er udsat til næste måned, fordi lokalet ikke længere er ledigt.",
    )),
    "Finnish": (WESTERN, (
        "Lämpötila mitataan yöllä, koska päivällä aurinko lämmittää seinää liikaa.",
        "Älä käytä laitetta, jos johto näyttää vialliselta.",
        "Kesällä järven vesi on tyyntä ja lämmintä myöhään iltaan asti.",
    )),
    "English": (WESTERN, (
        "The café was naïve about its clientèle, and the fiancée of the chef said so in her résumé.",
        "A façade of this kind needs no coöperation between the two companies of São Paulo.",
    )),
    "Polish": (CENTRAL, (
        "Proszę dokładnie przeczytać całą instrukcję, zanim włączysz urządzenie.",
        "Łódź jest dużym miastem, w którym żyje wielu młodych ludzi i gdzie wciąż powstają nowe mieszkania.",
        "Książka leży na półce obok łóżka, więc możesz ją wziąć, kiedy chcesz.",
    )),
    "Czech": (CENTRAL, (
        "Před použitím přístroje si pečlivě přečtěte celý návod a uschovejte jej.",
        "Příští týden bude větší zima a v některých místech může začít sněžit.",
        "Náš pes běžel přes louku, protože uviděl zajíce mezi keři.",
    )),
    "Hungarian": (CENTRAL, (
        "A készülék használata előtt kérjük, figyelmesen olvassa el az útmutatót.",
        "Az őszi időjárás hűvös és esős volt, ezért a gyümölcsök később értek meg.",
        "A következő ülésen a költségvetésről és az új épületről fognak dönteni.",
    )),
    "Russian": (CYRILLIC, (
        "Перед использованием прибора внимательно прочитайте инструкцию и сохраните её.",
        "Сегодня хорошая погода, поэтому мы пойдём гулять в парк возле реки.",
        "Договор вступает в силу со дня подписания и действует в течение одного года.",
    )),
    "Greek": (("cp1253", "iso8859_7"), (
        "Διαβάστε προσεκτικά τις οδηγίες πριν χρησιμοποιήσετε τη συσκευή για πρώτη φορά.",
        "Η πόλη είναι πιο όμορφη το βράδυ, όταν οι δρόμοι είναι σχεδόν άδειοι.",
        "Το συμβόλαιο ισχύει για ένα έτος από την ημερομηνία της υπογραφής του.",
    )),
    "Turkish": (("cp1254", "iso8859_9", "cp857"), (
        "Cihazı kullanmadan önce lütfen kılavuzu dikkatlice okuyunuz ve saklayınız.",
        "Bugün hava çok güzel, bu yüzden nehrin yanındaki parkta yürüyüş yapacağız.",
        "Çocuklar bahçede oynarken yağmur yağmaya başladı ve eve koştular.",
    )),
    "Hebrew": (("cp1255", "iso8859_8", "cp862"), (
        "נא לקרוא את ההוראות בעיון לפני השימוש הראשון במכשיר ולשמור אותן.",
        "מזג האוויר היום נעים, ולכן נלך לטייל בפארק ליד הנהר.",
        "החוזה נכנס לתוקף ביום החתימה ויהיה תקף למשך שנה אחת.",
    )),
    "Arabic": (("cp1256", "iso8859_6"), (
        "يرجى قراءة التعليمات بعناية قبل استخدام الجهاز لأول مرة والاحتفاظ بها.",
        "الطقس جميل اليوم ولذلك سنذهب للتنزه في الحديقة قرب النهر.",
        "يسري العقد من تاريخ التوقيع عليه ولمدة سنة واحدة.",
    )),
    "Thai": (("cp874",), (
        "โปรดอ่านคู่มืออย่างละเอียดก่อนใช้งานเครื่องเป็นครั้งแรก",
        "วันนี้อากาศดี เราจึงจะไปเดินเล่นในสวนสาธารณะใกล้แม่น้ำ",
    )),
    "Lithuanian": (("cp1257", "iso8859_13"), (
        "Prieš pradėdami naudoti prietaisą, atidžiai perskaitykite visą instrukciją.",
        "Šiandien gražus oras, todėl eisime pasivaikščioti į parką prie upės.",
        "Sutartis įsigalioja nuo pasirašymo dienos ir galioja vienerius metus.",
    )),
    "Japanese": (("cp932", "euc_jp", "iso2022_jp"), (
        "ご使用の前に、この取扱説明書をよくお読みになり、大切に保管してください。",
        "今日は天気がいいので、川のそばの公園を散歩しましょう。",
        "契約は署名の日から一年間有効とします。",
    )),
    "Chinese": (("gb18030", "gbk", "hz"), (
        "使用本产品之前，请仔细阅读说明书，并妥善保管。",
        "今天天气很好，我们去河边的公园散步吧。",
        "本合同自签字之日起生效，有效期为一年。",
    )),
    "Taiwanese": (("cp950", "big5"), (
        "使用本產品之前，請仔細閱讀說明書，並妥善保管。",
        "今天天氣很好，我們去河邊的公園散步吧。",
        "本合約自簽字之日起生效，有效期為一年。",
    )),
    "Korean": (("cp949", "euc_kr"), (
        "제품을 사용하기 전에 설명서를 주의 깊게 읽고 잘 보관하십시오.",
        "오늘은 날씨가 좋아서 강가에 있는 공원으로 산책하러 갑니다.",
        "계약은 서명한 날부터 일 년 동안 유효합니다.",
    )),
}  # fmt: skip
"""Encodings and sentences by language. Not every encoding has every letter; what it lacks is left out of a case."""
