#include "ui/form.h"

#include "src/buf.h"
#include "ui/term.h"

#include <ctype.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX (64u << 10)

static const struct ta_field *field(const struct form *f, int i)
{
	return &f->table->fields[i];
}

static int count(const struct form *f)
{
	return (int)f->table->nfields;
}

bool form_shows(const struct form *f, int i)
{
	unsigned flags = field(f, i)->flags;
	return !(flags & FIELD_TWIN) && (f->id || !(flags & FIELD_READONLY));
}

bool form_edits(const struct form *f, int i)
{
	unsigned flags = field(f, i)->flags;
	return form_shows(f, i) && !(flags & FIELD_READONLY) && !(f->id && (flags & FIELD_FIXED));
}

const char *form_choices(const struct ta_field *f)
{
	return f->type == FIELD_BOOL ? "true|false" : f->type == FIELD_CHOICE ? f->choices : NULL;
}

static bool is_secret(const struct form *f, int i)
{
	return field(f, i)->flags & FIELD_SECRET;
}

void form_set(struct form_value *v, const char *text)
{
	snprintf(v->text.text, v->text.size, "%s", text);
	v->text.len = v->text.at = strlen(v->text.text);
}

static bool differs(const struct form *f, int i)
{
	const struct form_value *v = &f->values[i];
	if (!form_edits(f, i))
		return false;
	return is_secret(f, i) ? v->text.len && v->pick != PICK_THEIRS
			       : strcmp(v->text.text, v->base) != 0;
}

/* Checks ----------------------------------------------------------------------------------------
 */

/* An empty secret of a row that has one keeps it. */
static bool keeps_secret(const struct form *f, int i)
{
	return is_secret(f, i) && !f->values[i].text.len && *f->values[i].base;
}

void form_check(struct form *f, int i)
{
	struct form_value *v = &f->values[i];
	struct ta_err err = {0};
	struct buf b = BUF_INIT(VALUE_MAX + 1);
	v->error[0] = '\0';
	v->error_at = -1;
	if (!form_edits(f, i) || keeps_secret(f, i))
		return;
	enum ta_rc rc = field_clean(field(f, i), v->text.text, &b, &err);
	if (!rc && f->check)
		rc = f->check(f->table, i, v->text.text, &v->error_at, &err);
	if (rc)
		snprintf(v->error, sizeof(v->error), "%.199s", err.msg);
	buf_release(&b);
}

void form_go(struct form *f, int i)
{
	f->values[f->sel].seen = true;
	f->sel = i;
	struct line *l = &f->values[i].text;
	l->at = f->values[i].error_at >= 0 ? TA_MIN((size_t)f->values[i].error_at, l->len) : l->len;
}

bool form_ready(struct form *f)
{
	f->error[0] = '\0';
	f->choosing = false;
	for (int i = 0; i < count(f); i++) {
		struct form_value *v = &f->values[i];
		form_check(f, i);
		v->seen = true;
		if (form_undecided(f, i))
			form_choose(f);
		if (f->choosing || *v->error) {
			form_go(f, i);
			return false;
		}
	}
	return true;
}

void form_fault(struct form *f, const struct ta_err *err)
{
	int at = field_index(f->table->fields, f->table->nfields, err->field);
	char none[60];
	f->saving = false;
	snprintf(f->error, sizeof(f->error), "%s", err->msg);
	for (int i = 0; at < 0 && i < count(f); i++) {
		/* A reference that was not found names the table, not the field. */
		if (field(f, i)->type != FIELD_REF || !f->values[i].text.len)
			continue;
		snprintf(none, sizeof(none), "there is no %s", field(f, i)->ref);
		if (strncmp(err->msg, none, strlen(none)) == 0)
			at = i;
	}
	if (at >= 0 && form_edits(f, at)) {
		f->values[at].seen = true;
		snprintf(f->values[at].error, FORM_ERROR, "%.199s", err->msg);
		form_go(f, at);
	}
}

/* Opening and closing -----------------------------------------------------------------------------
 */

static int next_field(const struct form *f, int from, int step)
{
	int n = count(f);
	for (int k = 1; k <= n; k++) {
		int i = ((from + step * k) % n + n) % n;
		if (form_edits(f, i))
			return i;
	}
	return from;
}

static void open_value(struct form *f, int i, const struct table_row *row)
{
	const struct ta_field *d = field(f, i);
	struct form_value *v = &f->values[i];
	const char *base = row && row->v[i] ? row->v[i] : "";
	int64_t max = d->max > 200 && d->type == FIELD_TEXT ? d->max : 200;
	v->base = v->before = arena_strdup(&f->mem, base);
	v->error_at = -1;
	v->text.size = TA_MAX((size_t)max, strlen(base)) + 2;
	v->text.text = ta_alloc(v->text.size);
	if (!(d->flags & FIELD_SECRET))
		form_set(v, row ? base : d->def ? d->def : "");
}

void form_open(
	struct form *f, const struct table *t, const struct table_row *row, form_check_fn *check_fn)
{
	const char *name = NULL;
	form_close(f);
	f->open = true;
	f->table = t;
	f->id = row ? row->id : 0;
	f->version = f->opened_version = row ? row->version : 0;
	f->check = check_fn;
	f->values = ta_alloc(t->nfields * sizeof(*f->values));
	for (int i = 0; i < count(f); i++)
		open_value(f, i, row);
	f->sel = next_field(f, -1, 1);
	int at = field_index(t->fields, t->nfields, "name");
	if (row && at >= 0)
		name = row->v[at];
	if (row)
		snprintf(f->title, sizeof(f->title), "Edit %s %lld: %.60s", t->word,
			(long long)row->id, name ? name : "");
	else
		snprintf(f->title, sizeof(f->title), "New %s", t->word);
}

void form_preset(struct form *f, const char *name, const char *text)
{
	int i = field_index(f->table->fields, f->table->nfields, name);
	if (i >= 0)
		form_set(&f->values[i], text);
}

void form_title(struct form *f, const char *title)
{
	snprintf(f->title, sizeof(f->title), "%s", title);
}

void form_hint(struct form *f, const char *fmt, ...)
{
	char line[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (f->nhints < FORM_HINTS)
		f->hints[f->nhints++] = arena_strdup(&f->mem, line);
}

void form_start(struct form *f, const char *name)
{
	int i = field_index(f->table->fields, f->table->nfields, name);
	if (i >= 0 && form_edits(f, i))
		f->sel = i;
	form_check(f, f->sel);
}

void form_close(struct form *f)
{
	for (int i = 0; f->open && i < count(f); i++) {
		explicit_bzero(f->values[i].text.text, f->values[i].text.size);
		free(f->values[i].text.text);
	}
	free(f->values);
	arena_release(&f->mem);
	*f = (struct form){0};
}

bool form_changed(const struct form *f)
{
	for (int i = 0; f->open && i < count(f); i++) {
		const struct ta_field *d = field(f, i);
		const struct form_value *v = &f->values[i];
		if (f->id ? differs(f, i)
			  : form_edits(f, i) && strcmp(v->text.text, d->def ? d->def : "") != 0)
			return true;
	}
	return false;
}

void form_fill(const struct form *f, struct work *w)
{
	/* A rule that was deleted comes back under its number; others take a new one. */
	w->edit.id = f->gone ? f->again_id : f->id;
	w->edit.version = f->id ? f->version : 0;
	for (int i = 0; i < count(f); i++) {
		const struct form_value *v = &f->values[i];
		bool give = f->id ? differs(f, i)
				  : form_edits(f, i) && (v->text.len || !is_secret(f, i));
		if (give)
			w->edit.v[i] = arena_strdup(&w->mem, v->text.text);
	}
}

/* Keys ------------------------------------------------------------------------------------------
 */

/* The choice `step` further than the present one, or the next that begins with `letter`. */
static bool choose(struct form *f, int step, int letter)
{
	struct form_value *v = &f->values[f->sel];
	const char *list = form_choices(field(f, f->sel));
	const char *starts[32];
	int n = 0, now = -1;
	for (const char *p = list; *p && n < (int)TA_COUNT(starts);) {
		size_t len = strcspn(p, "|");
		if (len == v->text.len && strncmp(p, v->text.text, len) == 0)
			now = n;
		starts[n++] = p;
		p += len + (p[len] == '|');
	}
	int at = now < 0 && step < 0 ? n : now;
	for (int k = 0; k < n; k++) {
		at = ((at + step) % n + n) % n;
		if (letter && tolower((unsigned char)*starts[at]) != letter)
			continue;
		char *word = arena_strndup(&f->mem, starts[at], strcspn(starts[at], "|"));
		form_set(v, word);
		return true;
	}
	return false;
}

static bool choice_key(struct form *f, int key)
{
	struct form_value *v = &f->values[f->sel];
	if (key == TERM_KEY(KEY_RIGHT) || key == ' ')
		return choose(f, 1, 0);
	if (key == TERM_KEY(KEY_LEFT))
		return choose(f, -1, 0);
	if (key == 127 || key == 8 || key == 21 || key == TERM_KEY(KEY_BACKSPACE)) {
		form_set(v, "");
		return true;
	}
	return key > ' ' && key < 127 && choose(f, 1, tolower(key));
}

void form_typed(struct form *f)
{
	struct form_value *v = &f->values[f->sel];
	if (form_undecided(f, f->sel) || v->pick)
		v->pick = PICK_OURS; /* whoever types decides */
	f->error[0] = '\0';
	form_check(f, f->sel);
	/* An empty field is not called wrong before it is left. */
	v->seen = v->seen || (v->text.len && *v->error);
}

static enum form_result value_key(struct form *f, int key)
{
	struct form_value *v = &f->values[f->sel];
	enum line_result r;
	if (form_choices(field(f, f->sel)))
		r = choice_key(f, key) ? LINE_CHANGED : LINE_NOT_ITS;
	else
		r = line_key(&v->text, key);
	if (r != LINE_CHANGED)
		return r == LINE_MOVED ? FORM_GOES_ON : FORM_NOT_ITS;
	form_typed(f);
	return FORM_CHANGED;
}

bool form_takes_text(const struct form *f)
{
	return form_edits(f, f->sel) && !is_secret(f, f->sel) && !form_choices(field(f, f->sel));
}

void form_put(struct form *f, const char *text)
{
	struct form_value *v = &f->values[f->sel];
	form_set(v, text);
	if (form_undecided(f, f->sel) || v->pick)
		v->pick = PICK_OURS;
	f->error[0] = '\0';
	form_check(f, f->sel);
	v->seen = true;
	form_go(f, f->sel);
}

static bool moves(struct form *f, int key)
{
	bool enter = key == '\r' || key == '\n' || key == TERM_KEY(KEY_ENTER);
	if (key == '\t' || enter || key == TERM_KEY(KEY_DOWN) || key == 14) /* ^N */
		form_go(f, next_field(f, f->sel, 1));
	else if (key == TERM_KEY(KEY_BTAB) || key == TERM_KEY(KEY_UP) || key == 16) /* ^P */
		form_go(f, next_field(f, f->sel, -1));
	else
		return false;
	return true;
}

enum form_result form_key(struct form *f, int key)
{
	if (key == TERM_KEY(TERM_PASTE_START) || key == TERM_KEY(TERM_PASTE_END)) {
		f->pasting = key == TERM_KEY(TERM_PASTE_START);
		return FORM_GOES_ON;
	}
	if (f->saving) /* what is being saved stays as it is shown */
		return key < ' ' && key != 27 ? FORM_NOT_ITS : FORM_GOES_ON;
	if (f->choosing)
		return f->pasting ? FORM_GOES_ON : form_merge_key(f, key);
	if (f->pasting && (key == '\r' || key == '\n' || key == '\t'))
		key = ' ';
	if (key == 19) /* ^S */
		return FORM_SAVE;
	if (key == 24) /* ^X */
		return FORM_EDITOR;
	if (key == 27)
		return FORM_LEAVE;
	if (f->merged && key == 20) { /* ^T */
		form_choose(f);
		return FORM_GOES_ON;
	}
	if (moves(f, key))
		return FORM_GOES_ON;
	return value_key(f, key);
}
