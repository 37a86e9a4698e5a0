#include "src/cmd_out.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/err.h"
#include "src/money.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void out_head(struct out_table *t, const char *head)
{
	TA_ASSERT(t->ncols < OUT_COLUMNS && t->nrows == 0);
	t->heads[t->ncols++] = head;
}

/* Control bytes of ASCII and of U+0080..U+009F become blanks. */
static char *clean(const char *text)
{
	char *s = ta_strdup(text);
	for (unsigned char *p = (unsigned char *)s; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = ' ';
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = ' ';
	return s;
}

void out_cell(struct out_table *t, const char *text)
{
	if (t->nrows == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->cells = ta_realloc(t->cells, t->size * sizeof(*t->cells));
	}
	t->cells[t->nrows++] = clean(text && *text ? text : "-");
}

void out_cellf(struct out_table *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_cell(t, text);
}

/* Characters, counted as UTF-8 lead bytes: good enough for padding. */
static size_t width(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void print_row(const struct out_table *t, const char *const *cells, const size_t *widths)
{
	for (size_t c = 0; c < t->ncols; c++) {
		bool last = c + 1 == t->ncols;
		fputs(cells[c], stdout);
		for (size_t i = width(cells[c]); !last && i < widths[c] + 2; i++)
			putchar(' ');
	}
	putchar('\n');
}

void out_print(struct out_table *t)
{
	size_t widths[OUT_COLUMNS] = {0};
	for (size_t c = 0; c < t->ncols; c++)
		widths[c] = width(t->heads[c]);
	for (size_t i = 0; i < t->nrows; i++)
		widths[i % t->ncols] = TA_MAX(widths[i % t->ncols], width(t->cells[i]));
	print_row(t, t->heads, widths);
	for (size_t i = 0; i + t->ncols <= t->nrows; i += t->ncols)
		print_row(t, (const char *const *)&t->cells[i], widths);
	for (size_t i = 0; i < t->nrows; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct out_table){0};
}

void out_json(json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
	json_decref(j);
}

json_t *out_money(int64_t minor, const char *currency)
{
	struct money m = {.minor = minor};
	if (!currency || !*currency)
		return json_null();
	snprintf(m.currency, sizeof(m.currency), "%.3s", currency);
	struct buf b = BUF_INIT(64);
	money_format(&b, m);
	json_t *j = json_pack("{s:s, s:s}", "amount", buf_str(&b), "currency", m.currency);
	buf_release(&b);
	return j;
}

json_t *out_id(int64_t id)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)id);
	return json_string(text);
}

json_t *out_time(int64_t us)
{
	char text[32];
	if (!us)
		return json_null();
	clock_format(us, text);
	return json_string(text);
}
