"""A hundred varied texts: ten languages, code, full-width and combining characters, emoji, odd spacing."""

_PARAGRAPHS = [
    # English
    "How do I pair the television with a Bluetooth speaker?",
    "The committee postponed its decision until the auditors had finished reading the quarterly report.",
    "Water boils at 100 °C at sea level; at 3,000 m it boils at about 90 °C.",
    "no",
    "Why are questions and documents embedded differently, and does it matter for short passages?",
    "RETURN POLICY: 30 days, receipt required, see § 4.2 (b) of the terms & conditions!!!",
    # German
    "Wie verbinde ich den Fernseher mit einem Bluetooth-Lautsprecher?",
    "Die Straßenbahn fährt über die Brücke, weil der Fluss zu tief für Fußgänger ist.",
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "Das Gerät darf nur im spannungsfreien Zustand geöffnet werden.",
    # French
    "Où puis-je trouver le numéro de série de l'appareil ?",
    "L'été dernier, nous avons goûté des cœurs d'artichaut près d'Aÿ.",
    "« Je ne sais pas », répondit-elle, « mais on peut essayer. »",
    "Le remboursement est effectué sous quatorze jours ouvrés.",
    # Spanish
    "¿Cómo cambio la contraseña de mi cuenta?",
    "El niño comió piñones en la montaña mientras llovía.",
    "La factura vence el 31 de diciembre; después se aplican intereses.",
    # Portuguese
    "Não consigo abrir o arquivo que você enviou ontem.",
    "As ações da empresa caíram após o anúncio.",
    # Russian
    "Как подключить телевизор к беспроводной колонке?",
    "Съешь ещё этих мягких французских булок, да выпей чаю.",
    "Договор вступает в силу с момента подписания обеими сторонами.",
    # Chinese
    "如何将电视连接到蓝牙音箱？",
    "今天天气很好，我们去公园散步吧。",
    "本产品保修期为一年，自购买之日起计算。请妥善保管发票。",
    # Japanese
    "テレビをBluetoothスピーカーに接続するにはどうすればよいですか？",
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "領収書の再発行はできませんので、大切に保管してください。",
    # Korean
    "텔레비전을 블루투스 스피커에 어떻게 연결하나요?",
    "비밀번호를 잊어버린 경우 관리자에게 문의하십시오.",
    # Arabic
    "كيف أوصل التلفاز بمكبر صوت بلوتوث؟",
    "يبدأ سريان العقد من تاريخ توقيعه من قبل الطرفين.",
    # Hindi
    "मैं टीवी को ब्लूटूथ स्पीकर से कैसे जोड़ूँ?",
    "पासवर्ड भूल जाने पर व्यवस्थापक से संपर्क करें।",
    # other scripts
    "Πώς συνδέω την τηλεόραση με ένα ηχείο;",
    "วิธีเชื่อมต่อทีวีกับลำโพงบลูทูธ",
    "כיצד אני מחבר את הטלוויזיה לרמקול?",
    "Làm thế nào để kết nối tivi với loa Bluetooth?",
    "როგორ დავაკავშირო ტელევიზორი დინამიკთან?",
    "Televizyonu hoparlöre nasıl bağlarım? İstanbul'da ışık var.",
]

_CODE = [
    "def add(a, b):\n    return a + b\n",
    "def f(x):\n\tif x > 0:\n\t\treturn x\n\treturn -x\n",
    "for (int i = 0; i < n; ++i) {\r\n\tsum += a[i] * b[i];\r\n}\r\n",
    "SELECT name, COUNT(*)\nFROM users\nWHERE age >= 18\nGROUP BY name;",
    "git log --oneline | head -n 5 && echo 'done' > /tmp/out.txt 2>&1",
    'func (s *Server) handle(w http.ResponseWriter, r *http.Request) {\n\tfmt.Fprintf(w, "%d", s.n)\n}',
    "const a = [...new Set(xs)].map(x => x ** 2).filter(Boolean) // unique squares",
    'fn main() {\n    let v: Vec<u8> = vec![1, 2, 3];\n    println!("{:?}", v);\n}',
    '{"id": 17, "tags": ["a", "b"], "nested": {"x": null, "y": -1.5e-3}}',
    '<div class="note"><p>Hello &amp; welcome</p>\n\t<br/></div>',
    'class HTTPServerError(Exception):\n\n    """Raised on 5xx."""\n\n\n    code: int = 500\n',
    "import numpy as np\n\n\nx = np.linspace(0, 1, 5)[:, None]\n",
    "#!/bin/sh\nset -eu\nfind . -name '*.py' -print0 | xargs -0 wc -l",
    "public static <T extends Comparable<T>> T max(List<T> items) { return Collections.max(items); }",
    "a\tb\tc\n1\t2\t3\n4\t5\t6\n",
    "snake_case_name camelCaseName PascalCaseName SCREAMING_CASE kebab-case-name",
]

_ODD = [
    "a   b\t c\n\n d",
    "  leading and trailing   ",
    "\n\n\nonly breaks around\n\n\n",
    "\u3000full-width\u3000spaces\u3000",
    "ＡＢＣ　１２３　ｆｕｌｌ－ｗｉｄｔｈ",
    "ｶﾀｶﾅ half-width ｶﾞｷﾞｸﾞ",
    "cafe\u0301 na\u0308ive re\u0301sume\u0301",
    "o\u0302\u0323 a\u0306\u0301 u\u031b\u0300 stacked marks",
    "Å Å A\u030a the same letter three ways",
    "ﬁne ﬂour ﬃ ligatures",
    "x² + y³ = z⁴, ½ + ¼ = ¾",
    "№ 5 ™ ® © ℃ ㎏ ㍿",
    "\u00a0no\u00a0break\u2009thin\u200bzero width\ufeff",
    "\u200eleft\u200f right marks\u200d joined",
    "emoji 😀 👍🏽 👩‍👩‍👧‍👦 🇩🇪 🏳️‍🌈 ❤️",
    "🎉🎉🎉🎉🎉🎉🎉🎉",
    "🫠🫨🪿 new ones",
    "𝒜𝓁𝓅𝒽𝒶 𝔹𝕖𝕥𝕒 𝟙𝟚𝟛",
    "𒀀𒀁𒀂 ancient 𓀀𓀁 signs",
    "①②③ Ⅳ Ⅷ ⅻ",
    "… ‥ — – ‑ ‐ “quoted” ‘single’ „low“",
    "▁ the marker itself ▁▁",
    "<s> </s> <pad> <mask> <unk> as text",
    "control\x01\x02\x7f characters\x1f inside",
    "\ufffd replacement \ufffd\ufffd",
    "Mississippi bookkeepers aabbaabb zzz",
    "d41d8cd98f00b204e9800998ecf8427e 0xDEADBEEF 3.14159265358979",
    "https://example.org/a/b?c=d&e=%20f#g user@example.com",
    "हिन्दी में संयुक्ताक्षर क्षत्रज्ञ",
    "ﷺ ﻻ ﺍﻟﻌﺮﺑﻴﺔ presentation forms",
    "각 decomposed \u1100\u1161\u11a8 jamo",
    "mixed 中文 и русский and العربية in one line",
    "",
    " ",
]

_LONG = [
    " ".join(_PARAGRAPHS[:6] * 3),
    " ".join(_PARAGRAPHS[6:14] * 2),
    "\n".join(_CODE[:8]),
    "".join(_PARAGRAPHS[22:28] * 3),
    " ".join(_PARAGRAPHS[19:22] * 4),
    "\n\n".join(_PARAGRAPHS[30:40]),
    "\t".join(_ODD[:20]),
    "The manual says: press and hold the button for three seconds. " * 25,
    "、".join(["東京", "大阪", "名古屋", "札幌", "福岡"] * 15),
    "\n".join(f"| {n} | row {n} | {n * n} |" for n in range(40)),
]

TEXTS = [*_PARAGRAPHS, *_CODE, *_ODD, *_LONG]
