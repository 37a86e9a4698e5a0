#include "ui/diff.h"

#include "db/history.h"
#include "src/clock.h"
#include "src/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_W   20
#define SHORT_MAX 24  /* bytes of a value that fits beside another */
#define WORDS_MAX 600 /* of a text; longer ones are compared by their ends */

/* Words -------------------------------------------------------------------------------------------
 */

struct word {
	const char *p;
	size_t n;
};

static bool name_byte(unsigned char c)
{
	return isalnum(c) || c == '_' || c == '.' || c >= 0x80;
}

/* A name or number, a quoted text, or one other byte; blanks only separate. */
static size_t word_len(const char *p)
{
	size_t n = 1;
	if (*p == '"') {
		while (p[n] && p[n] != '"')
			n += p[n] == '\\' && p[n + 1] ? 2 : 1;
		return n + (p[n] == '"');
	}
	while (name_byte((unsigned char)*p) && name_byte((unsigned char)p[n]))
		n++;
	return n;
}

static int split(const char *s, struct word *out, int max)
{
	int n = 0;
	while (*(s += strspn(s, " \t\n"))) {
		if (n == max)
			return -1;
		out[n] = (struct word){s, word_len(s)};
		s += out[n++].n;
	}
	return n;
}

static bool equal(const struct word *x, const struct word *y)
{
	return x->n == y->n && memcmp(x->p, y->p, x->n) == 0;
}

static void mark_word(const char *text, const struct word *w, char *mark)
{
	memset(mark + (w->p - text), 'x', w->n);
}

/* One of two texts that are compared: its words, and the mark of each byte. */
struct side {
	const char *text;
	char *mark;
	struct word *words;
	int n;
};

/* Lengths of the longest common subsequences of the two tails, then a walk along them. */
static void mark_differing(const struct side *x, const struct side *y)
{
	size_t w = (size_t)y->n + 1;
	unsigned short *len = ta_alloc(((size_t)x->n + 1) * w * sizeof(*len));
	int i = 0, j = 0;
	for (int a = x->n - 1; a >= 0; a--)
		for (int b = y->n - 1; b >= 0; b--) {
			size_t at = (size_t)a * w + (size_t)b;
			len[at] = equal(&x->words[a], &y->words[b])
					  ? (unsigned short)(len[at + w + 1] + 1)
					  : TA_MAX(len[at + w], len[at + 1]);
		}
	while (i < x->n || j < y->n) {
		size_t at = (size_t)i * w + (size_t)j;
		if (i < x->n && j < y->n && equal(&x->words[i], &y->words[j])) {
			i++;
			j++;
		} else if (j == y->n || (i < x->n && len[at + w] >= len[at + 1])) {
			mark_word(x->text, &x->words[i++], x->mark);
		} else {
			mark_word(y->text, &y->words[j++], y->mark);
		}
	}
	free(len);
}

/* The blanks between two marked words belong to them. */
static void join(const char *text, char *mark)
{
	for (size_t i = 0; text[i]; i++) {
		size_t n = strspn(text + i, " ");
		if (n && i && text[i + n] && mark[i - 1] == 'x' && mark[i + n] == 'x')
			memset(mark + i, 'x', n);
		i += n ? n - 1 : 0;
	}
}

/* Everything between a common beginning and a common end. */
static void mark_middle(const struct side *x, const struct side *y)
{
	size_t nx = strlen(x->text), ny = strlen(y->text), from = 0, end = 0;
	while (from < nx && from < ny && x->text[from] == y->text[from])
		from++;
	while (end < nx - from && end < ny - from && x->text[nx - 1 - end] == y->text[ny - 1 - end])
		end++;
	memset(x->mark + from, 'x', nx - from - end);
	memset(y->mark + from, 'x', ny - from - end);
}

void diff_words(const char *old, const char *now, char *old_mark, char *now_mark)
{
	struct word *w = ta_alloc((size_t)2 * WORDS_MAX * sizeof(*w));
	struct side x = {old, old_mark, w, split(old, w, WORDS_MAX)};
	struct side y = {now, now_mark, w + WORDS_MAX, split(now, w + WORDS_MAX, WORDS_MAX)};
	memset(old_mark, ' ', strlen(old));
	memset(now_mark, ' ', strlen(now));
	if (x.n < 0 || y.n < 0)
		mark_middle(&x, &y);
	else
		mark_differing(&x, &y);
	join(old, old_mark);
	join(now, now_mark);
	free(w);
}

/* Building ----------------------------------------------------------------------------------------
 */

void diff_clear(struct diff *d)
{
	arena_release(&d->mem);
	free(d->lines);
	*d = (struct diff){0};
}

static struct diff_line *add(struct diff *d, const char *label, char sign, const char *text)
{
	if (d->n == d->size) {
		d->size = d->size ? 2 * d->size : 32;
		d->lines = ta_realloc(d->lines, (size_t)d->size * sizeof(*d->lines));
	}
	struct diff_line *l = &d->lines[d->n++];
	*l = (struct diff_line){label, sign, arena_strdup(&d->mem, text), NULL};
	return l;
}

static char *blank_mark(struct diff *d, const char *text)
{
	char *m = arena_alloc(&d->mem, strlen(text) + 1);
	memset(m, ' ', strlen(text));
	m[strlen(text)] = '\0';
	return m;
}

/* A time is kept as a number. */
static const char *shown(struct diff *d, const struct ta_field *f, const char *v)
{
	char at[32];
	if (f->type != FIELD_TIME || !*v)
		return v;
	clock_format(strtoll(v, NULL, 10), at);
	return arena_strdup(&d->mem, at);
}

static void both_in_one(
	struct diff *d, const struct ta_field *f, const char *before, const char *after)
{
	const char *old = *before ? before : "not set", *new = *after ? after : "not set";
	const char *text = arena_fmt(&d->mem, "%s %s %s", old, theme_glyph(GL_ARROW), new);
	struct diff_line *l = add(d, f->title, '~', text);
	char *m = blank_mark(d, l->text);
	memset(m + strlen(l->text) - strlen(new), 'x', strlen(new));
	l->mark = m;
}

void diff_field(struct diff *d, const struct ta_field *f, const char *before, const char *after)
{
	before = shown(d, f, before ? before : "");
	after = shown(d, f, after ? after : "");
	if (strcmp(before, after) == 0)
		return;
	if (strlen(before) <= SHORT_MAX && strlen(after) <= SHORT_MAX && *before) {
		both_in_one(d, f, before, after);
		return;
	}
	char *old_mark = blank_mark(d, before), *new_mark = blank_mark(d, after);
	if (*before && *after)
		diff_words(before, after, old_mark, new_mark);
	if (*before)
		add(d, f->title, '-', before)->mark = old_mark;
	if (*after)
		add(d, *before ? "" : f->title, '+', after)->mark = new_mark;
	else
		add(d, "", '+', "not set");
}

void diff_secret(struct diff *d, const struct ta_field *f, bool had_one)
{
	add(d, f->title, '+', had_one ? "new secret in the place of the old one" : "new secret");
}

void diff_remark(struct diff *d, const char *text)
{
	add(d, "", ' ', text);
}

void diff_rows(struct diff *d, const struct table *t, const struct table_row *before,
	const struct table_row *after, uint64_t secrets)
{
	for (size_t f = 0; f < t->nfields; f++) {
		if (secrets >> f & 1)
			diff_secret(d, &t->fields[f], before && before->v[f]);
		else if (history_differs(t, f, before, after))
			diff_field(d, &t->fields[f], before ? before->v[f] : NULL, after->v[f]);
	}
}

/* Drawing -----------------------------------------------------------------------------------------
 */

/* Bytes of the text that go into w columns: up to the last blank, if there is one. */
static size_t piece(const char *s, size_t len, int w)
{
	size_t n = 0, blank = 0;
	int used = 0;
	while (n < len) {
		uint32_t cp;
		size_t k = TA_MAX(utf8_decode(s + n, len - n, &cp), (size_t)1);
		used += TA_MAX((int)utf8_width(s + n, k), 1);
		if (used > w)
			return blank ? blank : n ? n : k;
		n += k;
		if (s[n - 1] == ' ')
			blank = n;
	}
	return n;
}

static enum style style_of(const struct diff_line *l, bool marked)
{
	if (l->sign == ' ' || (l->sign == '~' && !marked))
		return ST_TEXT;
	if (l->sign == '~')
		return ST_STRONG;
	return marked ? ST_HIT : ST_TEXT;
}

/* A piece of a line: runs of bytes that are marked alike. */
static void draw_piece(const struct diff_line *l, size_t from, size_t n, struct pen p)
{
	for (size_t i = from; i < from + n;) {
		size_t k = i + 1;
		char m = l->mark ? l->mark[i] : ' ';
		while (k < from + n && (l->mark ? l->mark[k] : ' ') == m)
			k++;
		draw_n(&p, style_of(l, m == 'x'), -1, l->text + i, k - i);
		i = k;
	}
}

/* Draws the line from screen row `row` on (it may lie above the box); returns the rows it takes. */
static int draw_line(const struct diff_line *l, struct box b, int row)
{
	int used = 0, label = b.w >= 50 ? LABEL_W : 12;
	size_t at = 0, len = strlen(l->text);
	do {
		size_t n = piece(l->text + at, len - at, TA_MAX(b.w - label - 3, 8));
		if (row + used >= 0 && row + used < b.h) {
			struct pen p = pen_at(b, row + used);
			char sign[2] = {used ? ' ' : l->sign == '~' ? ' ' : l->sign, '\0'};
			draw_gap(&p, 1);
			draw_cell(&p, ST_TEXT, label - 1, used ? "" : l->label);
			draw_cell(&p, ST_STRONG, 2, sign);
			draw_piece(l, at, n, p);
		}
		at += n;
		used++;
	} while (at < len);
	return used;
}

void diff_scroll(struct diff *d, int lines)
{
	d->top = TA_MAX(TA_MIN(d->top + lines, d->rows - d->height), 0);
}

static int draw_lines(const struct diff *d, struct box b)
{
	int rows = 0;
	for (int i = 0; i < d->n; i++)
		rows += draw_line(&d->lines[i], b, rows - d->top);
	return rows;
}

void diff_draw(struct diff *d, struct box b)
{
	if (b.h <= 0)
		return;
	d->height = b.h;
	d->rows = draw_lines(d, (struct box){b.y, b.x, 0, b.w});
	diff_scroll(d, 0); /* the screen may have grown since */
	draw_lines(d, b);
	int more = d->rows - d->top - b.h;
	if (more <= 0)
		return;
	struct pen p = pen_at(b, b.h - 1);
	p.x = TA_MAX(p.x, p.end - 16);
	draw_fmt(&p, ST_KEY, " %d more %s ", more, more == 1 ? "line" : "lines");
}
