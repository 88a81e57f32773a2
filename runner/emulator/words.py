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
#: city, state, country, first letters of its postal codes, latitude and longitude
PLACES = (
    ("San Francisco", "CA", "United States", "94", 37.7749, -122.4194),
    ("Austin", "TX", "United States", "73", 30.2672, -97.7431),
    ("London", None, "United Kingdom", "EC1A ", 51.5074, -0.1278),
    ("Zürich", "ZH", "Switzerland", "80", 47.3769, 8.5417),
    ("München", "Bayern", "Germany", "80", 48.1351, 11.5820),
    ("São Paulo", "SP", "Brazil", "01", -23.5505, -46.6333),
    ("東京", None, "Japan", "10", 35.6762, 139.6503),
    ("Nairobi", None, "Kenya", "00", -1.2921, 36.8219),
    ("Kraków", "Małopolskie", "Poland", "30", 50.0647, 19.9450),
    ("Montréal", "QC", "Canada", "H2", 45.5017, -73.5673),
    ("Bengaluru", "KA", "India", "56", 12.9716, 77.5946),
    ("Lagos", "LA", "Nigeria", "10", 6.5244, 3.3792),
    ("Cork", None, "Ireland", "T12 ", 51.8985, -8.4756),
)
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
PROJECTS = ("Roll-out", "Migration", "New office", "Audit", "Training", "Relaunch", "Data clean-up")
#: name and family
PRODUCTS = (
    ("Starter Licence", "Software"), ("Team Licence", "Software"), ("Enterprise Licence", "Software"),
    ("Gateway", "Hardware"), ("Sensor", "Hardware"), ("Rack Server", "Hardware"), ("Handheld", "Hardware"),
    ("Installation", "Services"), ("Training Day", "Services"), ("Support, Gold", "Services"),
    ("Support, Silver", "Services"), ("Consulting Day", "Services"),
)  # fmt: skip
