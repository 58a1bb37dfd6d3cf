"""The words on the drawn pages: our own, and articles 1, 3 and 9 of the Declaration of Rights."""

LETTER = """
<p>Harbour Office<br/>12 Quay Street<br/>Portmouth PM1 4QX</p>
<p>3 March 2024</p>
<p>Dear Mrs Whitfield,</p>
<p>Thank you for your letter of 21 February about berth 47. The council met on Tuesday and agreed
that the mooring fee stays at £1,284.50 for the whole of the coming year, payable in two parts: the
first half by 31 March, the second by 30 September.</p>
<p>Repairs to the northern pier begin in week 16. Until they are finished, boats longer than 9.5 m
have to use the outer basin; water, power and the crane remain available from 6:30 to 22:00. We
enclose a plan of the basin and the new code for the gate.</p>
<p>Should you wish to keep your present place during the works, please tell us before the end of
the month. You can reach us at office@harbour.example or by telephone on 01632 960 147.</p>
<p>Yours sincerely,</p>
<p>Jonathan Okafor<br/>Harbour Master</p>
"""

REPORT_TITLE = "<h2>Rainfall and the Mill Brook, 2019-2023</h2>"

REPORT_COLUMNS = (
    """
<p>Five gauges between the reservoir and the old mill were read every morning. Over the five years
they recorded 4,117 mm of rain, or 823 mm in an average year, which is slightly less than the figure
published for the district.</p>
<p>The wettest month was October 2020 with 164 mm; the driest, April 2021, brought only 6.2 mm. Snow
fell on eleven days and melted within hours.</p>
<p>The brook itself answers quickly. After heavy rain its level at the footbridge rises by 30 to
45 cm within four hours and falls again overnight.</p>
""",
    """
<p>Two floods stand out. On 14 February 2020 the water reached the lower step of the chapel, and on
9 November 2022 it crossed the lane for the first time since 1987.</p>
<p>Since the bank was planted with willow and alder, less soil is washed into the pond: the
sediment trap held 2.8 t in 2019 but 1.1 t in 2023.</p>
<p>We recommend that gauge C, which stands under a growing beech, be moved by some twenty metres,
and that readings continue until the end of 2028.</p>
""",
)

RECEIPT = (
    ("CORNER STORE & BAKERY", ""),
    ("88 Mill Lane, Westbridge", ""),
    ("VAT No. GB 123 4567 89", ""),
    ("Till 03   Receipt 004512", ""),
    ("17/05/2024  09:42", ""),
    ("Rye bread 750 g", "3.40"),
    ("Croissant  4 x 1.15", "4.60"),
    ("Milk 1 l", "1.09"),
    ("Butter, salted", "2.35"),
    ("Apples 1.264 kg @ 2.20", "2.78"),
    ("Coffee beans 500 g", "8.95"),
    ("Carrier bag", "0.10"),
    ("SUBTOTAL", "23.27"),
    ("Loyalty discount 5%", "-1.16"),
    ("TOTAL GBP", "22.11"),
    ("Cash", "30.00"),
    ("Change", "7.89"),
    ("Thank you, please call again!", ""),
)

INVOICE = """
<h2>Invoice 2024-0317</h2>
<p>Bright Lamps Ltd, 5 Foundry Row, Steelton<br/>To: Museum of Clocks, Accounts Department</p>
<table>
<tr><td>Item</td><td>Description</td><td>Quantity</td><td>Price</td><td>Amount</td></tr>
<tr><td>A-104</td><td>Display lamp, warm white</td><td>24</td><td>18.75</td><td>450.00</td></tr>
<tr><td>B-220</td><td>Dimmer switch</td><td>6</td><td>31.20</td><td>187.20</td></tr>
<tr><td>B-221</td><td>Wall bracket, steel</td><td>24</td><td>4.05</td><td>97.20</td></tr>
<tr><td>S-900</td><td>Installation, hours</td><td>11</td><td>52.00</td><td>572.00</td></tr>
</table>
<p>Net total: 1,306.40 EUR<br/>Tax 20%: 261.28 EUR<br/>Amount due: 1,567.68 EUR</p>
<p>Payable within 30 days to account 00 4417 2290, quoting the number of this invoice.</p>
"""

RIGHTS = {
    "de": (
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft "
        "und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
        "Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person.",
        "Niemand darf willkürlich festgenommen, in Haft gehalten oder des Landes verwiesen werden.",
    ),
    "fr": (
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués "
        "de raison et de conscience et doivent agir les uns envers les autres dans un esprit de "
        "fraternité.",
        "Tout individu a droit à la vie, à la liberté et à la sûreté de sa personne.",
        "Nul ne peut être arbitrairement arrêté, détenu ni exilé.",
    ),
    "es": (
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como "
        "están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
        "Todo individuo tiene derecho a la vida, a la libertad y a la seguridad de su persona.",
        "Nadie podrá ser arbitrariamente detenido, preso ni desterrado.",
    ),
    "ru": (
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены "  # noqa: RUF001 - Russian
        "разумом и совестью и должны поступать в отношении друг друга в духе братства.",
        "Каждый человек имеет право на жизнь, на свободу и на личную неприкосновенность.",
        "Никто не может быть подвергнут произвольному аресту, задержанию или изгнанию.",
    ),
    "zh": (
        "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",  # noqa: RUF001 - Chinese
        "人人有权享有生命、自由和人身安全。",
        "任何人不得加以任意逮捕、拘禁或放逐。",
    ),
    "ja": (
        "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。"
        "人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
        "すべて人は、生命、自由及び身体の安全に対する権利を有する。",
        "何人も、ほしいままに逮捕、拘禁、又は追放されることはない。",
    ),
}

WITHOUT_SPACES = frozenset({"ja", "zh"})
