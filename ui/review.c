#include "ui/review.h"

#include "src/buf.h"
#include "src/rule.h"
#include "src/utf8.h"
#include "ui/term.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX (128u << 10)

static bool is_condition(const struct table *t, size_t field)
{
	return strcmp(t->word, "rule") == 0 && strcmp(t->fields[field].name, "expr") == 0;
}

/* A condition as it will read once it is saved; what does not compile stays as it is. */
static const char *spelled(struct arena *a, const char *expr)
{
	struct arena mem = ARENA_INIT;
	struct rule_prog *prog = NULL;
	struct ta_err err = {0};
	struct buf b = BUF_INIT(VALUE_MAX);
	const char *out = expr;
	if (*expr && rule_compile_event(&mem, expr, &prog, NULL, &err) == TA_OK) {
		rule_print(prog, &b);
		out = b.over ? expr : arena_strdup(a, buf_str(&b));
	}
	buf_release(&b);
	arena_release(&mem);
	return out;
}

static const char *cleaned(struct arena *a, const struct form *f, size_t i)
{
	struct buf b = BUF_INIT(VALUE_MAX);
	struct ta_err err = {0};
	const char *text = f->values[i].text.text;
	if (field_clean(&f->table->fields[i], text, &b, &err) == TA_OK)
		text = buf_str(&b);
	const char *out = arena_strdup(a, text);
	buf_release(&b);
	return is_condition(f->table, i) ? spelled(a, out) : out;
}

/* Whether what is typed is not what was read: an untouched condition keeps its spelling. */
static bool typed(const struct form *f, size_t i)
{
	return form_edits(f, (int)i) && strcmp(f->values[i].text.text, f->values[i].base) != 0;
}

struct table_row *review_row(struct arena *a, const struct form *f)
{
	const struct table *t = f->table;
	struct table_row *row = arena_alloc(a, sizeof(*row));
	*row = (struct table_row){f->id, f->version, NULL};
	row->v = arena_alloc(a, t->nfields * sizeof(*row->v));
	for (size_t i = 0; i < t->nfields; i++) {
		const char *base = f->values[i].base;
		const char *v = typed(f, i) ? cleaned(a, f, i) : arena_strdup(a, base);
		row->v[i] = *v && !(t->fields[i].flags & FIELD_SECRET) ? v : NULL;
	}
	return row;
}

static const struct table_row *base_row(struct arena *a, const struct form *f)
{
	struct table_row *row = arena_alloc(a, sizeof(*row));
	*row = (struct table_row){f->id, f->version, NULL};
	row->v = arena_alloc(a, f->table->nfields * sizeof(*row->v));
	for (size_t i = 0; i < f->table->nfields; i++)
		row->v[i] = *f->values[i].base ? f->values[i].base : NULL;
	return row;
}

static uint64_t new_secrets(const struct form *f)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < f->table->nfields; i++)
		if ((f->table->fields[i].flags & FIELD_SECRET) && form_edits(f, (int)i) &&
			f->values[i].text.len)
			bits |= UINT64_C(1) << i;
	return bits;
}

static const char *value(const struct table *t, const struct table_row *row, const char *name)
{
	int i = field_index(t->fields, t->nfields, name);
	return i >= 0 && row->v[i] ? row->v[i] : "";
}

void review_open(struct review *r, const struct form *f)
{
	const struct table *t = f->table;
	struct arena mem = ARENA_INIT;
	int note = field_index(t->fields, t->nfields, "note");
	const struct table_row *now = review_row(&mem, f), *before = base_row(&mem, f);
	review_close(r);
	r->open = true;
	r->reason = (struct line){.text = r->text, .size = sizeof(r->text)};
	diff_rows(&r->diff, t, f->id ? before : NULL, now, new_secrets(f));
	if (!r->diff.n)
		diff_remark(
			&r->diff, note >= 0 && typed(f, (size_t)note)
					  ? "only the note"
					  : "nothing but the spelling: it will mean what it means");
	/* The note of the form is a reason already. */
	if (note >= 0 && typed(f, (size_t)note)) {
		snprintf(r->text, sizeof(r->text), "%s", f->values[note].text.text);
		r->reason.len = r->reason.at = strlen(r->text);
	}
	snprintf(r->title, sizeof(r->title), f->id ? "Save %s %.80s?" : "Add %s %.80s?", t->word,
		value(t, now, "name"));
	arena_release(&mem);
}

void review_close(struct review *r)
{
	diff_clear(&r->diff);
	*r = (struct review){0};
}

void review_fill(const struct review *r, struct work *w)
{
	int note = field_index(w->table->fields, w->table->nfields, "note");
	if (!r->reason.len)
		return;
	w->edit.note = arena_strdup(&w->mem, r->text);
	if (note >= 0)
		w->edit.v[note] = w->edit.note;
}

/* Keys --------------------------------------------------------------------------------------------
 */

static bool scrolls(struct review *r, int key)
{
	int page = TA_MAX(r->diff.height - 1, 1);
	if (key == TERM_KEY(KEY_DOWN) || key == 14) /* ^N */
		diff_scroll(&r->diff, 1);
	else if (key == TERM_KEY(KEY_UP) || key == 16) /* ^P */
		diff_scroll(&r->diff, -1);
	else if (key == TERM_KEY(KEY_NPAGE))
		diff_scroll(&r->diff, page);
	else if (key == TERM_KEY(KEY_PPAGE))
		diff_scroll(&r->diff, -page);
	else
		return false;
	return true;
}

enum review_result review_key(struct review *r, int key)
{
	bool enter = key == '\r' || key == '\n' || key == TERM_KEY(KEY_ENTER);
	if (key == TERM_KEY(TERM_PASTE_START) || key == TERM_KEY(TERM_PASTE_END)) {
		r->pasting = key == TERM_KEY(TERM_PASTE_START);
		return REVIEW_GOES_ON;
	}
	if (r->pasting && (enter || key == '\t'))
		key = ' ';
	else if (enter || key == 19) /* ^S */
		return REVIEW_SAVE;
	if (key == 27)
		return REVIEW_LEAVE;
	if (key == 2) /* ^B */
		return REVIEW_TEST;
	if (scrolls(r, key) || line_key(&r->reason, key) != LINE_NOT_ITS)
		return REVIEW_GOES_ON;
	return REVIEW_NOT_ITS;
}

/* Drawing -----------------------------------------------------------------------------------------
 */

static void draw_reason(struct review *r, struct pen p)
{
	draw_gap(&p, 1);
	draw_text(&p, ST_STRONG, -1, "Reason ");
	size_t from = line_from(&r->reason, p.end - p.x);
	r->cursor_y = p.y;
	r->cursor_x = p.x + (int)utf8_width(r->text + from, r->reason.at - from);
	r->cursor_x = TA_MIN(r->cursor_x, p.end - 1);
	if (r->reason.len)
		draw_text(&p, ST_TEXT, -1, r->text + from);
	else
		draw_text(&p, ST_DIM, -1, "why, for those who read the history (may be empty)");
}

void review_draw(struct review *r, const char *counted, const char *tested, struct box b)
{
	int foot = 2 + (counted && *counted) + (tested != NULL);
	int row = b.h - foot + 1;
	draw_heading(b, 0, r->title, "Enter saves, Esc goes back");
	diff_draw(&r->diff, (struct box){b.y + 1, b.x, b.h - 1 - foot, b.w});
	if (row < 2)
		return;
	if (counted && *counted) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 1);
		draw_fmt(&p, ST_STRONG, "Live     %s", counted);
	}
	if (tested) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 1);
		draw_text(&p, ST_STRONG, -1, "Backtest ");
		draw_text(&p, *tested ? ST_STRONG : ST_TEXT, -1,
			*tested ? tested : "not run for this draft: ^B runs it");
	}
	draw_reason(r, pen_at(b, row));
}
