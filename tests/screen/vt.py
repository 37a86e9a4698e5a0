"""A terminal that knows what ncurses sends for xterm-256color: enough to read a screen as text."""
import re
import unicodedata

TOKEN = re.compile("\x1b\\[([?>=]?)([0-9;:]*)([@-~])|\x1b\\][^\x07]*\x07|\x1b([()])(.)|\x1b(.)|([\x00-\x1f])|([^\x1b\x00-\x1f]+)")
LINES = dict(zip("`afgjklmnopqrstuvwxy", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥"))


class Screen:
    def __init__(self, cols, rows):
        self.cols, self.rows = cols, rows
        self.cells = [[" "] * cols for _ in range(rows)]
        self.x = self.y = 0
        self.top, self.bottom = 0, rows - 1
        self.drawing = False
        self.last = " "
        self.rest = ""

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells) + "\n"

    def feed(self, data):
        """Takes decoded output; a sequence that is cut waits for its end."""
        data = self.rest + data
        end = len(data)
        cut = data.rfind("\x1b")
        if cut >= 0 and not TOKEN.match(data, cut):
            end = cut
        self.rest = data[end:]
        for m in TOKEN.finditer(data, 0, end):
            private, args, final, which, charset, plain, control, text = m.groups()
            if text:
                self.put(text)
            elif control:
                self.control(control)
            elif which == "(":
                self.drawing = charset == "0"
            elif plain == "M":
                self.up()
            elif final and not private:
                self.sequence(final, [int(a or 0) for a in re.split("[;:]", args)] if args else [])

    def put(self, text):
        for c in text:
            c = LINES.get(c, c) if self.drawing else c
            width = 2 if unicodedata.east_asian_width(c) in "WF" else 1
            if unicodedata.combining(c):
                continue
            if self.x >= self.cols:
                self.x = 0
                self.down()
            self.cells[self.y][self.x] = c
            if width == 2 and self.x + 1 < self.cols:
                self.cells[self.y][self.x + 1] = ""
            self.x += width
            self.last = c

    def control(self, c):
        if c == "\r":
            self.x = 0
        elif c == "\n":
            self.down()
        elif c == "\b":
            self.x = max(self.x - 1, 0)
        elif c == "\t":
            self.x = min(self.x // 8 * 8 + 8, self.cols - 1)

    def scroll(self, n):
        blank = [[" "] * self.cols for _ in range(min(abs(n), self.bottom - self.top + 1))]
        part = self.cells[self.top:self.bottom + 1]
        part = part[len(blank):] + blank if n > 0 else blank + part[:len(part) - len(blank)]
        self.cells[self.top:self.bottom + 1] = part

    def down(self):
        if self.y == self.bottom:
            self.scroll(1)
        else:
            self.y = min(self.y + 1, self.rows - 1)

    def up(self):
        if self.y == self.top:
            self.scroll(-1)
        else:
            self.y = max(self.y - 1, 0)

    def erase(self, y, start, end):
        self.cells[y][start:end] = [" "] * (end - start)

    def sequence(self, final, args):
        first = args[0] if args else 0
        n = max(first, 1)
        line = self.cells[self.y]
        if final in "Hf":
            self.y, self.x = min(n, self.rows) - 1, min(max(args[1] if len(args) > 1 else 1, 1), self.cols) - 1
        elif final in "AB":
            self.y = min(max(self.y + (n if final == "B" else -n), 0), self.rows - 1)
        elif final in "CD":
            self.x = min(max(self.x + (n if final == "C" else -n), 0), self.cols - 1)
        elif final == "G":
            self.x = min(n, self.cols) - 1
        elif final == "d":
            self.y = min(n, self.rows) - 1
        elif final == "J":
            self.erase(self.y, self.x if first == 0 else 0, self.cols)
            for y in range(self.y + 1 if first == 0 else 0, self.rows):
                self.erase(y, 0, self.cols)
        elif final == "K":
            self.erase(self.y, 0 if first else self.x, self.x + 1 if first == 1 else self.cols)
        elif final == "X":
            self.erase(self.y, self.x, min(self.x + n, self.cols))
        elif final == "b":
            self.put(self.last * n)
        elif final == "@":
            line[self.x:] = ([" "] * n + line[self.x:])[:self.cols - self.x]
        elif final == "P":
            line[self.x:] = (line[self.x + n:] + [" "] * n)[:self.cols - self.x]
        elif final in "ST":
            self.scroll(n if final == "S" else -n)
        elif final in "LM":
            top, self.top = self.top, self.y
            self.scroll(n if final == "M" else -n)
            self.top = top
        elif final == "r":
            self.top, self.bottom = n - 1, (args[1] if len(args) > 1 else self.rows) - 1
            self.x = self.y = 0
