/* How a form looks: label and value per line, below the chosen one a caret at its fault and what
 * the other operator wrote; at the bottom its help or its fault. */
#include "src/clock.h"
#include "src/utf8.h"
#include "ui/form.h"
#include "ui/hit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_W 20

static const struct ta_field *field(const struct form *f, int i)
{
	return &f->table->fields[i];
}

/* Lines a field takes. */
static int lines_of(const struct form *f, int i)
{
	const struct form_value *v = &f->values[i];
	if (!form_shows(f, i))
		return 0;
	return 1 + (i == f->sel && v->seen && *v->error && v->error_at >= 0);
}

static void draw_secret(const struct form_value *v, struct pen *p)
{
	size_t n = utf8_width(v->text.text, v->text.len);
	for (size_t i = 0; i < n; i++)
		draw_text(p, ST_TEXT, -1, "*");
	if (!n)
		draw_text(
			p, ST_DIM, -1, *v->base ? "set; type a new one to replace it" : "not set");
}

static void draw_line(const struct form_value *v, struct pen p, size_t from)
{
	size_t good = *v->error && v->error_at >= 0 ? (size_t)v->error_at : v->text.len;
	good = TA_MAX(TA_MIN(good, v->text.len), from);
	draw_n(&p, ST_TEXT, -1, v->text.text + from, good - from);
	if (good < v->text.len)
		draw_n(&p, ST_BAD, -1, v->text.text + good, v->text.len - good);
}

static void draw_shown(const struct form *f, int i, struct pen *p)
{
	const char *v = f->values[i].base;
	char at[32];
	if (field(f, i)->type == FIELD_TIME && *v) {
		clock_format(strtoll(v, NULL, 10), at);
		v = at;
	}
	draw_text(p, ST_DIM, -1, *v ? v : "-");
}

static void draw_label(const struct form *f, int i, struct pen *p)
{
	const struct form_value *v = &f->values[i];
	bool wrong = v->seen && *v->error;
	if (wrong || form_undecided(f, i))
		draw_glyph(p, wrong ? ST_BAD : ST_WARN, wrong ? GL_BAD : GL_WARN);
	else if (i == f->sel)
		draw_glyph(p, ST_STRONG, GL_SELECT);
	else
		draw_gap(p, 1);
	bool required = (field(f, i)->flags & FIELD_REQUIRED) && form_edits(f, i);
	char label[60];
	snprintf(label, sizeof(label), "%.40s%s", field(f, i)->title, required ? " *" : "");
	draw_gap(p, 1);
	draw_cell(p, i == f->sel ? ST_STRONG : ST_TEXT, LABEL_W - 3, label);
	draw_gap(p, 1);
}

/* What two operators made of the field, at the end of its line. */
static void draw_side(const struct form *f, int i, struct pen p)
{
	const struct form_value *v = &f->values[i];
	const char *text = form_undecided(f, i)                  ? " both changed it: ^T"
			   : v->theirs && v->pick == PICK_THEIRS ? " theirs"
			   : v->theirs                           ? " yours, not theirs"
								 : "";
	struct pen side = {p.y, TA_MAX(p.x, p.end - draw_width(text) - 1), p.end, false};
	draw_text(&side, ST_WARN, -1, text);
}

/* The value; returns the first byte shown. */
static size_t draw_value(struct form *f, int i, struct pen p)
{
	const struct form_value *v = &f->values[i];
	bool here = i == f->sel;
	size_t from = here ? line_from(&v->text, p.end - p.x) : 0;
	int x = p.x;
	if (!form_edits(f, i)) {
		draw_shown(f, i, &p);
		return 0;
	}
	if (field(f, i)->flags & FIELD_SECRET) {
		x += (int)utf8_width(v->text.text, v->text.at);
		draw_secret(v, &p);
	} else if (form_choices(field(f, i))) {
		draw_text(&p, here ? ST_HERE : ST_TEXT, -1, v->text.len ? v->text.text : "-");
		if (here)
			draw_fmt(&p, ST_DIM, "  of %s", form_choices(field(f, i)));
	} else {
		x += (int)utf8_width(v->text.text + from, v->text.at - from);
		draw_line(v, p, from);
	}
	draw_side(f, i, p);
	if (here) {
		f->cursor_y = p.y;
		f->cursor_x = TA_MIN(x, p.end - 1);
	}
	return from;
}

static void draw_field(struct form *f, int i, struct box b, int row)
{
	const struct form_value *v = &f->values[i];
	struct pen p = pen_at(b, row++);
	draw_label(f, i, &p);
	int x = p.x;
	size_t from = draw_value(f, i, p);
	hit_add((struct hit){.box = {p.y, b.x, p.end > p.x, b.w},
		.kind = HIT_FIELD,
		.arg = i,
		.x = x,
		.from = (int)from});
	if (i != f->sel || !v->seen || !*v->error || v->error_at < (int)from || row >= b.h)
		return;
	struct pen c = pen_at(b, row);
	size_t at = TA_MIN((size_t)v->error_at, v->text.len);
	draw_gap(&c, x - c.x + (int)utf8_width(v->text.text + from, at - from));
	draw_text(&c, ST_BAD, -1, "^");
}

/* The owner's lines, where there is room behind the fields. */
static void draw_hints(const struct form *f, struct box b, int row)
{
	for (int i = 0; i < f->nhints && row < b.h; i++) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 2);
		draw_text(&p, ST_TEXT, -1, f->hints[i]);
	}
}

/* The last lines of the form: its fault, the field's help or fault, the owner's note. */
static void draw_foot(const struct form *f, struct box b)
{
	const struct form_value *v = &f->values[f->sel];
	struct pen note = pen_at(b, 0), p = pen_at(b, 1);
	bool wrong = v->seen && *v->error;
	draw_gap(&note, 1);
	if (f->saving)
		draw_text(&note, ST_STRONG, -1, "being saved");
	else if (*f->error)
		draw_text(&note, ST_BAD, -1, f->error);
	else if (f->note)
		draw_text(&note, ST_STRONG, -1, f->note);
	draw_gap(&p, 1);
	if (wrong && strcmp(v->error, f->error) != 0) {
		draw_glyph(&p, ST_BAD, GL_BAD);
		draw_gap(&p, 1);
		draw_text(&p, ST_BAD, -1, v->error);
	} else {
		draw_text(&p, ST_TEXT, -1, field(f, f->sel)->help);
	}
}

void form_draw(struct form *f, struct box b)
{
	if (f->choosing) {
		form_merge_draw(f, b);
		return;
	}
	char note[60] = "* has to be given";
	struct box body = {b.y + 1, b.x, b.h - 3, b.w};
	int n = (int)f->table->nfields, before = 0, row = 0;
	if (f->version)
		snprintf(note, sizeof(note), "version %d; * has to be given", f->version);
	draw_heading(b, 0, f->title, note);
	for (int i = 0; i < f->sel; i++)
		before += lines_of(f, i);
	f->top = TA_MIN(f->top, before);
	f->top = TA_MAX(f->top, before + lines_of(f, f->sel) - TA_MAX(body.h, 1));
	for (int i = 0; i < n; i++) {
		int lines = lines_of(f, i);
		if (lines && row >= f->top && row - f->top < body.h)
			draw_field(f, i, body, row - f->top);
		row += lines;
	}
	if (!f->top)
		draw_hints(f, body, row + 1);
	if (b.h >= 3)
		draw_foot(f, (struct box){b.y + b.h - 2, b.x, 2, b.w});
}
