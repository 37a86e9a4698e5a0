#include "src/cmd_out.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/err.h"
#include "src/money.h"
#include "src/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cmd_fail(const char *word, const struct ta_err *err)
{
	fprintf(stderr, "trackai %s: %s\n", word, err->msg);
	return ta_rc_exit(err->rc);
}

#define CELL_MAX (256u << 10)

void out_head(struct out_table *t, const char *head)
{
	TA_ASSERT(t->ncols < OUT_COLUMNS && t->nrows == 0);
	t->heads[t->ncols++] = head;
}

void out_clean(struct buf *b, const char *text)
{
	(void)utf8_clean(b, text, strlen(text), SIZE_MAX);
}

void out_cell(struct out_table *t, const char *text)
{
	if (t->nrows == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->cells = ta_realloc(t->cells, t->size * sizeof(*t->cells));
	}
	struct buf b = BUF_INIT(CELL_MAX);
	out_clean(&b, text && *text ? text : "-");
	t->cells[t->nrows++] = buf_detach(&b);
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

static size_t width_of(const char *s)
{
	return utf8_width(s, strlen(s));
}

static void print_row(const struct out_table *t, const char *const *cells, const size_t *widths)
{
	for (size_t c = 0; c < t->ncols; c++) {
		bool last = c + 1 == t->ncols;
		fputs(cells[c], stdout);
		for (size_t i = width_of(cells[c]); !last && i < widths[c] + 2; i++)
			putchar(' ');
	}
	putchar('\n');
}

void out_print(struct out_table *t)
{
	size_t widths[OUT_COLUMNS] = {0};
	TA_ASSERT(t->ncols > 0);
	for (size_t c = 0; c < t->ncols; c++)
		widths[c] = width_of(t->heads[c]);
	for (size_t i = 0; i < t->nrows; i++)
		widths[i % t->ncols] = TA_MAX(widths[i % t->ncols], width_of(t->cells[i]));
	print_row(t, t->heads, widths);
	for (size_t i = 0; i + t->ncols <= t->nrows; i += t->ncols)
		print_row(t, (const char *const *)&t->cells[i], widths);
	out_free(t);
}

void out_free(struct out_table *t)
{
	for (size_t i = 0; i < t->nrows; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct out_table){0};
}

const char *out_at(const struct out_table *t, size_t i)
{
	return t->cells[i];
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

json_t *out_text(const char *p, size_t n)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	if (utf8_valid(p, n))
		return json_stringn(p, n);
	for (size_t i = 0; i < n;) {
		char text[4];
		uint32_t cp;
		size_t len = utf8_decode(p + i, n - i, &cp);
		buf_add(&b, text, utf8_encode(cp, text));
		i += len ? len : 1;
	}
	json_t *j = json_stringn(buf_str(&b), b.len);
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
