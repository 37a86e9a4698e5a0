/* A form over one row of an editable table, made from the table's description (src/field.h): the
 * fields as lines, checked while typing, with what another operator changed meanwhile beside one's
 * own. No connection here: the owner saves what form_fill() says. */
#ifndef UI_FORM_H
#define UI_FORM_H

#include "ui/draw.h"
#include "ui/line.h"
#include "ui/work.h"

#define FORM_ERROR 200
#define FORM_HINTS 32

/* Whose value of a field is saved after two operators changed one row. */
enum form_pick { PICK_NONE, PICK_THEIRS, PICK_OURS };

struct form_value {
	struct line text;    /* what is typed; a secret starts empty */
	const char *base;    /* the row as it was read last, "" when not set: what a save changes */
	const char *before;  /* the row as it was when the form was opened */
	const char *theirs;  /* what another operator made of `before`; NULL: nothing */
	const char *ours;    /* what was typed instead of `before`; NULL: nothing; a secret: "" */
	enum form_pick pick; /* PICK_NONE with both sides set: has to be chosen before saving */
	bool seen;           /* left or saved once: its faults are shown */
	int error_at;        /* byte of the fault, -1 unknown */
	char error[FORM_ERROR];
};

/* A check beyond the field's own; sets error_at (-1: unknown). */
typedef enum ta_rc form_check_fn(
	const struct table *t, int field, const char *text, int *error_at, struct ta_err *err);

/* What another operator did to the row meanwhile. */
struct form_rival {
	const char *who;     /* "user:anna", NULL: not known */
	const char *at;      /* the time of day, "" not known */
	const char *changed; /* names of the fields, as in the audit log; tells of secrets */
};

struct form {
	bool open, saving, pasting;
	bool merged;   /* another operator changed the row: there is something to choose */
	bool choosing; /* the choice is on view (ui/form_merge.c), not the fields */
	bool gone;     /* another operator deleted the row: saving makes it anew */
	const struct table *table;
	int64_t id;       /* 0: a new row */
	int64_t again_id; /* gone: what id was */
	int version, sel, top;
	int opened_version, merge_top;
	char rival[80], rival_at[16];
	struct arena mem;
	struct form_value *values; /* one per field of the table */
	form_check_fn *check;      /* may be NULL */
	char title[120], error[240];
	const char *note;              /* the owner's line below the fields, NULL none */
	const char *hints[FORM_HINTS]; /* shown where there is room */
	int nhints;
	int cursor_y, cursor_x;
};

enum form_result { FORM_NOT_ITS, FORM_GOES_ON, FORM_CHANGED, FORM_SAVE, FORM_LEAVE, FORM_EDITOR };

/* row NULL: a new one with the defaults. Opening closes what was open. */
void form_open(
	struct form *f, const struct table *t, const struct table_row *row, form_check_fn *check);
/* A new row that begins with something: a field's text, the heading, lines that explain it, the
 * field in which the cursor stands first. */
void form_preset(struct form *f, const char *name, const char *text);
void form_title(struct form *f, const char *title);
void form_hint(struct form *f, const char *fmt, ...) TA_PRINTF(2, 3);
void form_start(struct form *f, const char *name);
void form_close(struct form *f); /* wipes secrets */
bool form_changed(const struct form *f);
enum form_result form_key(struct form *f, int key);
/* The text of the chosen field was edited from outside (completion). */
void form_typed(struct form *f);
/* Checks every field; when one is wrong or undecided the cursor stands on it: false. */
bool form_ready(struct form *f);
/* Puts what is to be written into a WORK_ADD or WORK_SET of the form's table. */
void form_fill(const struct form *f, struct work *w);
/* The save was refused: the cursor goes to the field at fault. */
void form_fault(struct form *f, const struct ta_err *err);
/* Another operator saved meanwhile: what only they changed is taken over, what both changed has to
 * be chosen. The form is then about their version. */
void form_conflict(struct form *f, const struct table_row *now, const struct form_rival *r);
/* Another operator deleted the row: saving makes it again, where all that is needed is there. */
void form_gone(struct form *f, const struct form_rival *r);
/* What the operator's own editor may change: a free text that is no secret. */
bool form_takes_text(const struct form *f);
/* Puts a text into the field the cursor stands in, as if it had been typed. */
void form_put(struct form *f, const char *text);
void form_draw(struct form *f, struct box b); /* ui/form_draw.c; sets the cursor's place */

/* Between the files of the form, and for tests. */
void form_set(struct form_value *v, const char *text);
void form_check(struct form *f, int i);
void form_go(struct form *f, int i); /* the cursor stands there, at its fault */
bool form_undecided(const struct form *f, int field);
void form_choose(struct form *f); /* shows what there is to choose */
enum form_result form_merge_key(struct form *f, int key);
void form_merge_draw(struct form *f, struct box b);
bool form_shows(const struct form *f, int field);
bool form_edits(const struct form *f, int field);   /* false: shown only */
const char *form_choices(const struct ta_field *f); /* "a|b", NULL: free text */

#endif
