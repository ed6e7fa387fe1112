"""The demo site's tables: what its people are called and where they work. All of it is invented."""

from __future__ import annotations

GIVEN_NAMES: tuple[str, ...] = (
    *("Aisha", "Anders", "Ángel", "Björn", "Camille", "Chidi", "Chloé", "Dilnoza", "Élodie", "Fatima"),
    *("François", "Giulia", "Göran", "Hiroko", "Ines", "İpek", "Jane", "João", "Jürgen", "Kwame"),
    *("Leilani", "Lukáš", "Maren", "Mehmet", "Minh", "Noor", "Olumide", "Paweł", "Priya", "Rafael"),
    *("Sanna", "Søren", "Tadeusz", "Thandiwe", "Vikram", "Wanjiru", "Yusuf", "Zoë", "Þóra", "Živa"),
)

FAMILY_NAMES: tuple[str, ...] = (
    *("Abdullahi", "Ahmed", "Åkesson", "Almeida", "Bergström", "Bianchi", "Çelik", "Cohen", "Dlamini"),
    *("D'Souza", "Fernández", "García", "Gunnarsdóttir", "Haugen", "Ivanova", "Jensen", "Kamau", "Kaur"),
    *("Kowalski", "Lefèvre", "Łukasik", "Mbeki", "Müller", "Nakamura", "Nguyễn", "Novák", "O'Neil"),
    *("Okafor", "Öztürk", "Papadopoulos", "Patel", "Popescu", "Rossi", "Sørensen", "Strauß", "Tanaka"),
    *("Tūpuola", "Virtanen", "Şahin", "Zhang"),
)

NAMES_IN_OTHER_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("李伟", "wli"),
    ("渡辺 さくら", "swatanabe"),
    ("Ольга Смирнова", "osmirnova"),
    ("Γιώργος Νικολάου", "gnikolaou"),
    ("ليلى حداد", "lhaddad"),
    ("김민준", "mkim"),
)
"""Full name and user id, which no rule derives from the name."""

DEPARTMENTS: tuple[tuple[str, int], ...] = (
    ("Sales", 30),
    ("Logistics", 22),
    ("Finance", 18),
    ("IT", 12),
    ("HR", 8),
    ("Marketing", 10),
)
"""Value of the custom property Department, and its share of the employees in percent."""
