/* Two operators and one row: what it was, what each of them made of it, field by field, and whose
 * is saved. What only one of them changed is taken as it is; what both changed has to be chosen. */
#include "src/utf8.h"
#include "ui/form.h"
#include "ui/term.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>

#define LABEL_W  18
#define DETAIL_H 4

static const struct ta_field *field(const struct form *f, int i)
{
	return &f->table->fields[i];
}

static bool is_secret(const struct form *f, int i)
{
	return field(f, i)->flags & FIELD_SECRET;
}

/* Whether the field is one of those to be looked at. */
static bool shown(const struct form *f, int i)
{
	return form_edits(f, i) && (f->values[i].theirs || f->values[i].ours);
}

bool form_undecided(const struct form *f, int i)
{
	const struct form_value *v = &f->values[i];
	return v->theirs && v->ours && v->pick == PICK_NONE;
}

static int undecided(const struct form *f)
{
	int n = 0;
	for (size_t i = 0; i < f->table->nfields; i++)
		n += form_undecided(f, (int)i);
	return n;
}

static int step_to(const struct form *f, int from, int step)
{
	for (int i = from + step; i >= 0 && i < (int)f->table->nfields; i += step)
		if (shown(f, i))
			return i;
	return shown(f, from) ? from : -1;
}

/* What is chosen stands in the form; what is not is ours. A secret stays where it was typed. */
static void settle(struct form *f, int i)
{
	struct form_value *v = &f->values[i];
	if (is_secret(f, i))
		return;
	if (v->pick == PICK_THEIRS)
		form_set(v, v->base);
	else
		form_set(v, v->ours ? v->ours : v->before);
	form_check(f, i);
}

/* What was typed since the choice was on view last is ours. */
void form_choose(struct form *f)
{
	int first = -1;
	for (int i = 0; i < (int)f->table->nfields; i++) {
		struct form_value *v = &f->values[i];
		bool typed =
			is_secret(f, i) ? v->text.len > 0 : strcmp(v->text.text, v->before) != 0;
		if (form_edits(f, i) && v->pick != PICK_THEIRS) {
			v->ours = !typed            ? NULL
				  : is_secret(f, i) ? ""
						    : arena_strdup(&f->mem, v->text.text);
			v->pick = v->pick == PICK_NONE && !v->theirs ? PICK_OURS : v->pick;
		}
		if (shown(f, i) &&
			(first < 0 || (form_undecided(f, i) && !form_undecided(f, first))))
			first = i;
	}
	f->merged = f->choosing = true;
	bool here = shown(f, f->sel) && (form_undecided(f, f->sel) || !undecided(f));
	f->sel = here || first < 0 ? f->sel : first;
}

static void remember(struct form *f, const struct form_rival *r)
{
	const char *who = r && r->who ? r->who : "";
	f->saving = false;
	f->error[0] = '\0';
	snprintf(f->rival_at, sizeof(f->rival_at), "%s", r && r->at ? r->at : "");
	if (strncmp(who, "user:", 5) == 0)
		who += 5;
	snprintf(f->rival, sizeof(f->rival), "%.70s", *who ? who : "another operator");
}

static bool replaced(const struct form_rival *r, const char *name)
{
	char quoted[60];
	snprintf(quoted, sizeof(quoted), "\"%.50s\"", name);
	return r && r->changed && strstr(r->changed, quoted);
}

/* Whether they, and whether we, made something else of the field than it was before. */
struct moves {
	bool they, we, agree;
};

static struct moves moved(
	const struct form *f, int i, const char *is, const char *ours, const struct form_rival *r)
{
	const struct form_value *v = &f->values[i];
	if (is_secret(f, i))
		return (struct moves){replaced(r, field(f, i)->name), v->text.len > 0, false};
	bool they = strcmp(is, v->before) != 0, we = ours && strcmp(ours, v->before) != 0;
	return (struct moves){they, we, they && we && strcmp(ours, is) == 0};
}

/* One field in the light of their row. What was decided stands until they change it again. */
static void confront(struct form *f, int i, const char *is, const struct form_rival *r)
{
	struct form_value *v = &f->values[i];
	const char *ours = v->pick == PICK_THEIRS ? v->ours : v->text.text;
	bool decided = v->pick && v->theirs && strcmp(v->theirs, is) == 0;
	struct moves m = moved(f, i, is, ours, r);
	v->base = arena_strdup(&f->mem, is);
	v->theirs = m.they && !m.agree ? v->base : NULL;
	v->ours = NULL;
	if (m.we && !m.agree)
		v->ours = is_secret(f, i) ? "" : arena_strdup(&f->mem, ours);
	if (m.agree)
		v->pick = PICK_THEIRS;
	else if (!decided)
		v->pick = m.they && m.we ? PICK_NONE : m.they ? PICK_THEIRS : PICK_OURS;
	settle(f, i);
}

void form_conflict(struct form *f, const struct table_row *now, const struct form_rival *r)
{
	remember(f, r);
	f->version = now->version;
	if (f->gone)
		f->id = f->again_id;
	f->gone = false;
	for (int i = 0; i < (int)f->table->nfields; i++) {
		const char *is = now->v[i] ? now->v[i] : "";
		if (form_edits(f, i))
			confront(f, i, is, r);
		else
			f->values[i].base = arena_strdup(&f->mem, is);
	}
	form_choose(f);
}

void form_gone(struct form *f, const struct form_rival *r)
{
	remember(f, r);
	f->gone = true;
	f->again_id = f->id;
	f->id = 0;
	for (int i = 0; i < (int)f->table->nfields; i++) {
		struct form_value *v = &f->values[i];
		v->theirs = NULL;
		v->pick = PICK_OURS;
		if (is_secret(f, i))
			v->base = ""; /* it went with the row */
	}
	form_choose(f);
}

/* Keys ------------------------------------------------------------------------------------------
 */

static bool choose(struct form *f, enum form_pick pick)
{
	if (f->gone || !shown(f, f->sel))
		return false;
	f->values[f->sel].pick = pick;
	f->error[0] = '\0';
	settle(f, f->sel);
	return true;
}

static int step_of(int key)
{
	static const int down[] = {'j', '\t', 14, TERM_KEY(KEY_DOWN)};
	static const int up[] = {'k', 16, TERM_KEY(KEY_UP), TERM_KEY(KEY_BTAB)};
	for (size_t i = 0; i < TA_COUNT(down); i++)
		if (key == down[i] || key == up[i])
			return key == down[i] ? 1 : -1;
	return 0;
}

enum form_result form_merge_key(struct form *f, int key)
{
	int step = step_of(key), to = step ? step_to(f, f->sel, step) : -1;
	bool enter = key == '\r' || key == '\n' || key == TERM_KEY(KEY_ENTER);
	if (step) {
		f->sel = to >= 0 ? to : f->sel;
		return FORM_GOES_ON;
	}
	if (key == TERM_KEY(KEY_LEFT) || key == 't' || key == 'h' || key == 20) /* ^T */
		return choose(f, PICK_THEIRS) ? FORM_CHANGED : FORM_GOES_ON;
	if (key == TERM_KEY(KEY_RIGHT) || key == 'y' || key == 'l' || key == 25) /* ^Y */
		return choose(f, PICK_OURS) ? FORM_CHANGED : FORM_GOES_ON;
	if (key == 19) /* ^S */
		return FORM_SAVE;
	if (enter || key == 'e' || key == 27) {
		f->choosing = false;
		form_go(f, f->sel);
		return FORM_GOES_ON;
	}
	return FORM_NOT_ITS;
}

/* Drawing -----------------------------------------------------------------------------------------
 */

enum side { BEFORE, THEIRS, OURS, SIDES };

/* What a side says of a field, "" nothing of its own. */
static const char *side_text(const struct form *f, int i, enum side s)
{
	const struct form_value *v = &f->values[i];
	const char *t = s == BEFORE ? v->before : s == THEIRS ? v->theirs : v->ours;
	if (s == THEIRS && f->gone)
		return "deleted";
	if (!t)
		return "as before";
	if (is_secret(f, i))
		return s == BEFORE ? *v->before ? "set" : "not set" : "replaced (hidden)";
	return *t ? t : "(empty)";
}

static bool taken(const struct form *f, int i, enum side s)
{
	enum form_pick p = f->values[i].pick;
	return (s == THEIRS && p == PICK_THEIRS) || (s == OURS && p == PICK_OURS);
}

static void draw_cell_of(const struct form *f, int i, enum side s, struct pen *p, int w)
{
	const char *text = side_text(f, i, s);
	int n = TA_MIN(draw_width(text), w - 3);
	bool is = taken(f, i, s);
	draw_text(p, is ? ST_STRONG : ST_TEXT, 1, is ? "[" : " ");
	draw_text(p, is ? ST_STRONG : ST_TEXT, n, text);
	draw_text(p, is ? ST_STRONG : ST_TEXT, 1, is ? "]" : " ");
	draw_gap(p, w - n - 2);
}

static void draw_row(const struct form *f, int i, struct pen p)
{
	int w = (p.end - p.x - LABEL_W) / SIDES;
	bool open = form_undecided(f, i);
	p.selected = i == f->sel;
	draw_text(&p, ST_STRONG, 1, p.selected ? theme_glyph(GL_SELECT) : " ");
	draw_glyph(&p, open ? ST_WARN : ST_OK, open ? GL_WARN : GL_OK);
	draw_gap(&p, 1);
	draw_cell(&p, open ? ST_STRONG : ST_TEXT, LABEL_W - 4, field(f, i)->title);
	draw_gap(&p, 1);
	for (enum side s = BEFORE; s < SIDES; s++)
		draw_cell_of(f, i, s, &p, w);
	draw_fill(&p, ST_TEXT);
}

static void draw_columns(const struct form *f, struct pen p)
{
	int w = (p.end - p.x - LABEL_W) / SIDES;
	char theirs[60];
	snprintf(theirs, sizeof(theirs), " Theirs: %.40s", f->rival);
	draw_head(&p, LABEL_W, "   Field", false);
	draw_head(&p, w, " Before", false);
	draw_head(&p, w, draw_width(theirs) < w ? theirs : " Theirs", false);
	draw_head(&p, p.end - p.x, " Yours", false);
}

/* Where a text begins and ends to differ from another. */
struct span {
	size_t from, to;
};

static struct span differing(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), from = 0, tail = 0;
	while (from < na && from < nb && a[from] == b[from])
		from++;
	while (tail < na - from && tail < nb - from && a[na - 1 - tail] == b[nb - 1 - tail])
		tail++;
	/* Not in the middle of a code point. */
	while (from && ((unsigned char)a[from] & 0xc0) == 0x80)
		from--;
	while (tail && ((unsigned char)a[na - tail] & 0xc0) == 0x80)
		tail--;
	return (struct span){from, na - tail};
}

/* Bytes that fit into w columns. */
static size_t fitting(const char *text, int w)
{
	size_t n = 0, len = strlen(text);
	int used = 0;
	while (n < len) {
		uint32_t cp;
		size_t k = utf8_decode(text + n, len - n, &cp);
		used += utf8_cp_width(cp);
		if (used > w)
			break;
		n += k ? k : 1;
	}
	return n;
}

static void draw_part(struct pen *p, const char *text, size_t at, size_t n, struct span d)
{
	size_t a = TA_MIN(TA_MAX(d.from, at), at + n), b = TA_MIN(TA_MAX(d.to, a), at + n);
	draw_n(p, ST_TEXT, -1, text + at, a - at);
	draw_n(p, ST_WARN, -1, text + a, b - a);
	draw_n(p, ST_TEXT, -1, text + b, at + n - b);
}

/* The whole text of a side over at most `lines` lines; what differs from before stands out. */
static int draw_whole(const struct form *f, enum side s, struct box b, int row, int lines)
{
	static const char *const names[SIDES] = {"before", "theirs", "yours"};
	const char *text = side_text(f, f->sel, s);
	const struct form_value *v = &f->values[f->sel];
	const char *own = s == THEIRS ? v->theirs : s == OURS ? v->ours : NULL;
	struct span d = {0, 0};
	size_t at = 0;
	int y = 0;
	if (own && *own && own == text)
		d = differing(text, v->before);
	do {
		struct pen p = pen_at(b, row + y);
		draw_gap(&p, 3);
		draw_cell(&p, taken(f, f->sel, s) ? ST_STRONG : ST_TEXT, 9, y ? "" : names[s]);
		size_t n = fitting(text + at, p.end - p.x);
		if (y == lines - 1)
			n = strlen(text + at); /* cut with a mark */
		draw_part(&p, text, at, n, d);
		at += n;
	} while (++y < lines && text[at]);
	return y;
}

static void draw_detail(const struct form *f, struct box b)
{
	int row = 1;
	draw_heading(b, 0, field(f, f->sel)->title, f->gone ? "" : "in full");
	for (enum side s = BEFORE; s < SIDES && row < b.h; s++)
		row += draw_whole(f, s, b, row, TA_MAX((b.h - row) / (SIDES - (int)s), 1));
}

static void draw_story(const struct form *f, struct box b)
{
	const char *at = f->rival_at;
	struct pen p = pen_at(b, 0);
	draw_gap(&p, 1);
	draw_text(&p, ST_STRONG, 40, f->rival);
	if (f->gone)
		draw_fmt(&p, ST_TEXT, " deleted this %s%s%s while you were editing it.",
			f->table->word, *at ? " at " : "", at);
	else
		draw_fmt(&p, ST_TEXT, " saved version %d%s%s while you were editing version %d.",
			f->version, *at ? " at " : "", at, f->opened_version);
}

static void draw_verdict(const struct form *f, struct box b, int row, int rows)
{
	struct pen p = pen_at(b, row);
	int n = undecided(f);
	draw_gap(&p, 1);
	if (f->saving)
		draw_text(&p, ST_STRONG, -1, "being saved");
	else if (*f->error)
		draw_text(&p, ST_BAD, -1, f->error);
	else if (f->gone)
		draw_fmt(&p, ST_STRONG, "^S makes the %s anew with what you have; Esc shows it all",
			f->table->word);
	else if (n)
		draw_fmt(&p, ST_WARN, "%d field%s both of you changed: choose with Left or Right",
			n, n == 1 ? "" : "s");
	else if (!rows)
		draw_text(&p, ST_STRONG, -1, "you both wrote the same: nothing is left to save");
	else
		draw_fmt(
			&p, ST_STRONG, "^S saves what stands in [ ] as version %d", f->version + 1);
}

void form_merge_draw(struct form *f, struct box b)
{
	int rows = 0, at = 0, y = 3;
	for (int i = 0; i < (int)f->table->nfields; i++) {
		at = i == f->sel ? rows : at;
		rows += shown(f, i);
	}
	int room = TA_MAX(TA_MIN(rows, b.h - y - DETAIL_H - 2), 1);
	f->merge_top = TA_MAX(TA_MIN(f->merge_top, at), at - room + 1);
	draw_heading(
		b, 0, f->title, f->gone ? "deleted meanwhile" : "nothing of yours is saved yet");
	draw_story(f, (struct box){b.y + 1, b.x, 1, b.w});
	draw_columns(f, pen_at(b, 2));
	for (int i = 0, n = 0; i < (int)f->table->nfields; i++) {
		if (!shown(f, i) || n++ < f->merge_top || y >= 3 + room)
			continue;
		draw_row(f, i, pen_at(b, y++));
	}
	y += b.h - y > DETAIL_H + 4;
	if (b.h - y - 2 >= DETAIL_H && rows)
		draw_detail(f, (struct box){b.y + y, b.x, TA_MIN(b.h - y - 2, 16), b.w});
	draw_verdict(f, b, b.h - 1, rows);
	f->cursor_y = -1;
}
