/* A form over one row of an editable table, made from the table's description (src/field.h): the
 * fields as lines, checked while typing, with what another operator changed meanwhile beside one's
 * own. No connection here: the owner saves what form_fill() says. */
#ifndef UI_FORM_H
#define UI_FORM_H

#include "ui/draw.h"
#include "ui/line.h"
#include "ui/work.h"

#define FORM_ERROR 200

struct form_value {
	struct line text;   /* what is typed; a secret starts empty */
	const char *base;   /* as it was read, "" when not set */
	const char *theirs; /* what another made of it while ours differs; NULL: no conflict */
	const char *ours;   /* ours at that moment */
	bool undecided;     /* theirs or ours: has to be chosen before it can be saved */
	bool news;          /* only they changed it: taken over */
	bool seen;          /* left or saved once: its faults are shown */
	int error_at;       /* byte of the fault, -1 unknown */
	char error[FORM_ERROR];
};

/* A check beyond the field's own; sets error_at (-1: unknown). */
typedef enum ta_rc form_check_fn(
	const struct table *t, int field, const char *text, int *error_at, struct ta_err *err);

struct form {
	bool open, saving, pasting;
	const struct table *table;
	int64_t id; /* 0: a new row */
	int version, sel, top;
	struct arena mem;
	struct form_value *values; /* one per field of the table */
	form_check_fn *check;      /* may be NULL */
	char title[120], error[240];
	const char *note; /* the owner's line below the fields, NULL none */
	int cursor_y, cursor_x;
};

enum form_result { FORM_NOT_ITS, FORM_GOES_ON, FORM_CHANGED, FORM_SAVE, FORM_LEAVE };

/* row NULL: a new one with the defaults. Opening closes what was open. */
void form_open(
	struct form *f, const struct table *t, const struct table_row *row, form_check_fn *check);
void form_close(struct form *f); /* wipes secrets */
bool form_changed(const struct form *f);
enum form_result form_key(struct form *f, int key);
/* Checks every field; when one is wrong or undecided the cursor stands on it: false. */
bool form_ready(struct form *f);
/* Puts what is to be written into a WORK_ADD or WORK_SET of the form's table. */
void form_fill(const struct form *f, struct work *w);
/* The save was refused: the cursor goes to the field at fault. */
void form_fault(struct form *f, const struct ta_err *err);
/* Another operator saved meanwhile: what only they changed is taken over, what both changed is put
 * side by side. The form is then about their version. */
void form_conflict(struct form *f, const struct table_row *now);
void form_draw(struct form *f, struct box b); /* ui/form_draw.c; sets the cursor's place */

/* For ui/form_draw.c and tests. */
bool form_shows(const struct form *f, int field);
bool form_edits(const struct form *f, int field);   /* false: shown only */
const char *form_choices(const struct ta_field *f); /* "a|b", NULL: free text */

#endif
