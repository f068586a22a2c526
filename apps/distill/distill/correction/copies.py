"""What a corrector must copy, put into sentences: links, numbers, code, emoji, names, other scripts, any characters."""
from __future__ import annotations

from collections.abc import Callable
from random import Random

from .tables import Tables, Words
from .units import Unit, fixed_unit

SCRIPTS = ((0x430, 0x44F), (0x410, 0x42F), (0x3B1, 0x3C9), (0x4E00, 0x9FA5), (0x3041, 0x3093), (0x30A1, 0x30F6), (0xAC00, 0xD7A3),
           (0x627, 0x64A), (0x5D0, 0x5EA), (0x905, 0x939), (0xE01, 0xE2E), (0x561, 0x586), (0x10D0, 0x10F0))
ACCENTED = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿāăąćčďđēėęěğģīįıķļłńňōőœřśşšťţūůűųźżžßÉÀÖÜÅØŁŠŽÇÑ"
EMOJI = ((0x1F600, 0x1F64F), (0x1F300, 0x1F5FF), (0x1F680, 0x1F6C5), (0x1F900, 0x1F9FF), (0x2600, 0x26FF), (0x2702, 0x27B0))
TONES = ("\U0001F3FB", "\U0001F3FD", "\U0001F3FF")
SYMBOLS = "→←↑↓•–—…€£¥§©®™°±×÷≤≥≠≈∞√µ½¼²³¹†‡¶«»„“”‘’"
ENDINGS = ("com", "org", "net", "io", "dev", "co.uk", "de", "fr", "edu", "gov", "info")
FILES = ("txt", "py", "js", "ts", "json", "csv", "pdf", "docx", "png", "jpg", "md", "html", "css", "tar.gz", "log", "xml", "yaml", "zip", "c", "rs")


def doubled(text: str, order: Random) -> str:
    """`text` with one of its characters twice or more."""
    at = order.randrange(len(text))
    return text[:at] + text[at] * order.choice((1, 1, 2)) + text[at:]


class Copies:
    def __init__(self, tables: Tables, words: Words) -> None:
        self.tables, self.words = tables, words
        self.kinds: list[tuple[Callable[[Random], str], str, int]] = [
            (self.number, "number", 20), (self.date, "number", 8), (self.link, "address", 12), (self.mail, "address", 7),
            (self.file, "file", 8), (self.code, "file", 12), (self.emoji, "any", 10), (self.foreign, "any", 14),
            (self.accented, "any", 7), (self.name, "name", 26), (self.place, "place", 8), (self.tag, "any", 4),
            (self.identifier, "file", 8), (self.symbols, "any", 6), (self.noise, "any", 8)]
        self.weights = [weight for *_, weight in self.kinds]

    def word(self, order: Random) -> str:
        return order.choice(self.words.common)

    def number(self, order: Random) -> str:
        kind = order.randrange(12)
        digits = str(order.randrange(10 ** order.randrange(1, 7)))
        if order.random() < 0.3:
            # Equal digits in a row are where copies go wrong.
            digits = order.choice((f"{order.randrange(1, 100)}{'0' * order.randrange(1, 6)}", doubled(digits, order), doubled(digits, order)))
        small = order.randrange(1, 100)
        return (digits, digits, f"{small}.{order.randrange(100)}", f"{int(digits):,}", f"${digits}", f"{small}%",
                f"{order.choice('£€$')}{small}.{order.randrange(100):02}", f"{small}{order.choice(('km', 'kg', 'px', 'ms', 'GB', 'th', 'C', 'm', 'x'))}",
                f"+{small} {order.randrange(100, 999)} {order.randrange(100, 999)} {order.randrange(1000, 9999)}",
                f"v{small % 9}.{order.randrange(20)}.{order.randrange(30)}", f"{small}-{small + order.randrange(1, 50)}",
                f"{order.randrange(9)}/{order.randrange(2, 10)}")[kind]

    def date(self, order: Random) -> str:
        day, month, year = order.randrange(1, 29), order.randrange(1, 13), order.randrange(1700, 2060)
        named = order.choice(self.tables.lists["months"] or ["12"])
        return order.choice((f"{year}-{month:02}-{day:02}", f"{day}/{month}/{year}", f"{day} {named} {year}", f"{named} {day}", str(year),
                             f"{order.randrange(24)}:{order.randrange(60):02}", f"{order.randrange(1, 13)}:{order.randrange(60):02} pm",
                             f"{year % 100 // 10 * 10}s", f"{named} {year}"))

    def host(self, order: Random) -> str:
        parts = [self.word(order) for _ in range(order.choice((1, 1, 2)))]
        return order.choice(("", "", "www.", "api.")) + order.choice(("", "-")).join(parts) + "." + order.choice(ENDINGS)

    def link(self, order: Random) -> str:
        path = "".join("/" + (self.word(order) if order.random() < 0.7 else self.noise(order)) for _ in range(order.randrange(4)))
        query = f"?{self.word(order)[:3]}={order.randrange(9999)}" if order.random() < 0.2 else ""
        return order.choice(("https://", "https://", "http://", "")) + self.host(order) + path + query

    def mail(self, order: Random) -> str:
        return self.word(order) + order.choice(("", ".", "_")) + order.choice((self.word(order), str(order.randrange(100)))) + "@" + self.host(order)

    def file(self, order: Random) -> str:
        name = order.choice(("", "_", "-")).join(self.word(order) for _ in range(order.choice((1, 2)))) + "." + order.choice(FILES)
        return order.choice(("", "", "./", "~/", "/usr/lib/", "C:\\", self.word(order) + "/")) + name

    def identifier(self, order: Random) -> str:
        a, b = self.word(order), self.word(order)
        return order.choice((f"{a}_{b}", f"{a}{b.title()}", f"{a.title()}{b.title()}", f"{a}()", f"{a}.{b}()", f"--{a}-{b}", f"--{a}", f"{a.upper()}_{b.upper()}",
                             f"<{a}>", f"{a}={order.randrange(99)}", f"${a}", f"{a}[{order.randrange(9)}]", f"{a[:4].upper()}"))

    def code(self, order: Random) -> str:
        inside = [order.choice((self.identifier, self.word, self.number, self.file, self.noise))(order) for _ in range(order.choice((1, 1, 2, 3)))]
        return "`" + order.choice((" ", " ", " = ", ", ")).join(inside) + "`"

    def emoji(self, order: Random) -> str:
        out = ""
        for _ in range(order.choice((1, 1, 1, 2, 3))):
            out += chr(order.randint(*order.choice(EMOJI)))
            if order.random() < 0.15:
                out += order.choice(("\uFE0F", *TONES, "\u200D" + chr(order.randint(*EMOJI[0]))))
        return out if order.random() < 0.85 else order.choice((":)", ":-)", ";)", ":D", ":(", "<3", "^_^", "xD", ":/"))

    def foreign(self, order: Random) -> str:
        words = []
        for _ in range(order.choice((1, 1, 1, 2, 3))):
            script = order.choice(SCRIPTS)
            word = "".join(chr(order.randint(*script)) for _ in range(order.randrange(1, 9)))
            words.append(doubled(word, order) if order.random() < 0.2 else word)
        return " ".join(words)

    def accented(self, order: Random) -> str:
        word = list(self.word(order))
        for _ in range(order.choice((1, 1, 2))):
            word[order.randrange(len(word))] = order.choice(ACCENTED)
        return "".join(word) if order.random() < 0.7 else "".join(word).capitalize()

    def made_up(self, order: Random) -> str:
        a, b = self.word(order), self.word(order)
        name = (a[: order.randrange(2, 5)] + b[-order.randrange(2, 5) :]).capitalize()
        return doubled(name, order) if order.random() < 0.15 else name

    def name(self, order: Random) -> str:
        first = order.choice(self.tables.lists["first_names"]) if self.tables.lists["first_names"] and order.random() < 0.6 else self.made_up(order)
        last = order.choice(self.tables.lists["last_names"]) if self.tables.lists["last_names"] and order.random() < 0.4 else self.made_up(order)
        return order.choice((first, first, last, f"{first} {last}", f"{first} {last}", f"{first[0]}. {last}"))

    def place(self, order: Random) -> str:
        places = self.tables.lists["places"] + self.tables.lists["days"]
        return order.choice(places) if places and order.random() < 0.7 else self.made_up(order)

    def tag(self, order: Random) -> str:
        return order.choice("#@") + self.word(order) + order.choice(("", "", str(order.randrange(2030)), self.word(order).title()))

    def symbols(self, order: Random) -> str:
        return "".join(order.choice(SYMBOLS if order.random() < 0.6 else "-+*/=<>|&%$#@~^_\\") for _ in range(order.choice((1, 1, 1, 2, 3, 5))))

    def noise(self, order: Random) -> str:
        """Letters and digits, or any characters, at random."""
        length = order.randrange(2, 12)
        kind = order.randrange(5)
        if kind < 4:
            text = "".join(order.choice("0123456789abcdef") if kind < 2 else chr(order.randrange(33, 127)) for _ in range(length))
            return doubled(text, order) if order.random() < 0.4 else text
        return "".join(chr(order.choice((order.randrange(33, 127), order.randrange(0xA1, 0x600), order.randrange(0x900, 0xD7FF),
                                         order.randrange(0xE000, 0xFFFD), order.randrange(0x10000, 0x1FFFF)))) for _ in range(length))

    def item(self, order: Random) -> tuple[str, str]:
        """An item and the kind of sentence that carries it."""
        make, carrier, _ = order.choices(self.kinds, self.weights)[0]
        return make(order), carrier

    def put_into(self, units: list[Unit], order: Random) -> list[tuple[str, str]]:
        """Puts one or two items between the words of a sentence, and returns each with its kind."""
        put = []
        for _ in range(order.choice((1, 1, 2))):
            make = order.choices(self.kinds, self.weights)[0][0]
            text = make(order)
            put.append((make.__name__, text))
            at = order.randrange(1, len(units) + 1)
            previous = units[at - 1]
            after, previous.after = previous.after, "" if at == len(units) or order.random() < 0.5 else previous.after
            item = fixed_unit(text, after=after if previous.after == "" else "")
            if order.random() < 0.08:
                item.before, item.after = "(", ")" + item.after
            elif order.random() < 0.05:
                item.before, item.after = '"', '"' + item.after
            units.insert(at, item)
        return put

    def carried(self, order: Random) -> tuple[str, str, str] | None:
        """A sentence made for an item: the text before, the item, and the text after."""
        text, kind = self.item(order)
        carriers = self.tables.carriers.get(kind)
        if not carriers:
            return None
        before, after = order.choice(carriers).split("{}")
        return before, text, after

    def alone(self, order: Random) -> str:
        """A line that is copied whole: items only, markup, code, a list, a heading."""
        items = [self.item(order)[0] for _ in range(order.choice((1, 1, 2, 3, 4)))]
        a, b = self.word(order), self.word(order)
        kind = order.randrange(14)
        if kind < 4:
            return " ".join(items)
        if kind == 4:
            return order.choice(("- ", "* ", "1. ", "[ ] ", "    ", "  - ", "\t")) + " ".join(items)
        if kind == 5:
            return "#" * order.randrange(1, 4) + " " + " ".join(self.word(order).capitalize() for _ in range(order.randrange(1, 4)))
        return (f"<{a}>{b}</{a}>", f"{a} = {b}({order.randrange(99)}, {self.word(order)})", f"    return {a}[{b}]", f"{{\"{a}\": \"{b}\", \"{items[0]}\": {order.randrange(99)}}}",
                f"| {a} | {b} | {items[0]} |", f"{a.upper()}={items[0]}", f"<a href=\"{self.link(order)}\">{a} {b}</a>",
                f"{order.choice(('git', 'npm', 'cd', 'ls', 'sudo', 'pip'))} {a} --{b} {items[0]}")[kind - 6]
