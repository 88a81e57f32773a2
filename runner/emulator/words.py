"""The words of which sample data are made: many alphabets, quotes and line breaks, as real orgs have them."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Amélie", "Aoife", "Björn", "Carlos", "Chinedu", "Dana", "Elif", "Emma", "Farah", "François",
    "Grace", "Hana", "Ibrahim", "Ines", "Jo-Ann", "José", "Kofi", "Leila", "Liam", "Łukasz", "Maria", "Mei",
    "Mohammed", "Nia", "Noah", "Olga", "Priya", "Quentin", "Rosa", "Ruth", "Søren", "Tariq", "Uma",
    "Viktor", "Wei", "Yuki", "Zoë", "Андрей", "さくら",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Adeyemi", "Andersson", "Bauer", "Bianchi", "Castillo", "Chen", "D'Angelo", "Dubois",
    "Eriksen", "Fernández", "García", "Haddad", "Horváth", "Ito", "Jansen", "Johnson", "Kaya", "Khan",
    "Kowalska", "Kumar", "Lefèvre", "Lopez", "MacDonald", "Mensah", "Müller", "Nguyễn", "Novák", "O'Brien",
    "Okafor", "Park", "Patel", "Quispe", "Rossi", "Saito", "Sørensen", "Tanaka", "Van der Berg", "Williams",
    "Yılmaz", "Zając", "Иванова", "李",
)  # fmt: skip
COMPANY_STEMS = (
    "Alder", "Apex", "Borealis", "Brightwater", "Cedar & Sons", "Copperfield", "Delta", "Eastgate", "Fjord",
    "Granite", "Halcyon", "Ibérica", "Juniper", "Kestrel", "Larkspur", "Meridian", "Nordlicht", "O'Hara",
    "Pinnacle", 'The "Quick" Courier', "Redwood", "Sierra", "Tamarind", "Umbra", "Vantage", "Whitfield",
    "Yarrow", "Zenith",
)  # fmt: skip
COMPANY_KINDS = (
    "Analytics", "Bank", "Energy", "Foods", "Freight", "GmbH", "Group", "Health", "Industries", "Insurance",
    "Labs", "Ltd", "Logistics", "Media", "S.A.", "Software", "Textiles", "Tools",
)  # fmt: skip
TITLES = (
    "Account Executive", "Buyer", "CEO", "CFO", "CTO", "Director of Operations", "Engineer", "Head of IT",
    "Marketing Manager", "Office Manager", "Procurement Lead", "SVP, Technology", "VP Sales",
)  # fmt: skip
DEPARTMENTS = (
    "Engineering",
    "Finance",
    "Human Resources",
    "Legal",
    "Marketing",
    "Operations",
    "R&D",
    "Sales",
)
#: city, state, country, first letters of its postal codes
PLACES = (
    ("San Francisco", "CA", "United States", "94"), ("Austin", "TX", "United States", "73"),
    ("London", None, "United Kingdom", "EC1A "), ("Zürich", "ZH", "Switzerland", "80"),
    ("München", "Bayern", "Germany", "80"), ("São Paulo", "SP", "Brazil", "01"),
    ("東京", None, "Japan", "10"), ("Nairobi", None, "Kenya", "00"),
    ("Kraków", "Małopolskie", "Poland", "30"), ("Montréal", "QC", "Canada", "H2"),
    ("Bengaluru", "KA", "India", "56"), ("Lagos", "LA", "Nigeria", "10"), ("Cork", None, "Ireland", "T12 "),
)  # fmt: skip
STREETS = (
    "1 Market Street", "12 High Street\nFloor 3", "221B Baker Street", "Bahnhofstrasse 7",
    "Rua das Flores, 88", "4-2-8 Shiba-koen", "Calle Mayor 5, 2º B", "77 O'Connell Street",
    "Moi Avenue\r\nP.O. Box 100",
)  # fmt: skip
NOTES = (
    "Met at the spring conference.", 'Asked for "the big one" and a quote by Friday.',
    "Prefers calls after 3 pm.\nSpeaks French and German.", "Renewal due; see the last contract.",
    "Tab\tseparated, back\\slash and an emoji: 🌲", "Don't call at lunch.",
    "C'est l'été — à rappeler en septembre.",
)  # fmt: skip
SUBJECTS = (
    "Call", "Send quote", "E-mail: follow-up", "Prepare demo", "Won't start after update", "Invoice question",
    "Delivery is late", "Ask for a reference", "Contract review",
)  # fmt: skip
DEALS = ("Renewal", "Pilot", "Expansion", "Licences", "Support plan", "Migration", "Training")
