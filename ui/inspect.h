/* The inspector: one event with its deliveries, under the list or over the whole body. */
#ifndef UI_INSPECT_H
#define UI_INSPECT_H

#include "db/good.h"
#include "ui/data.h"
#include "ui/textview.h"

enum inspect_tab { TAB_SUMMARY, TAB_PAYLOAD, TAB_ATTEMPTS, TAB_DIFF, TAB_RULES, TAB_COUNT };

struct inspect {
	int64_t id;        /* the event that is loaded, 0 none */
	int64_t asked;     /* the event that was asked for last */
	int64_t state_key; /* what its lines looked like when they were read */
	int32_t pixel_id;  /* the delivery that was selected */
	bool missing;      /* no such event any more */
	enum inspect_tab tab;
	bool zoomed, focused;
	bool pinned; /* on `pin`, which was opened from elsewhere, not on the list's selection */
	struct view_row pin;
	struct twin mem;
	struct view_event ev;
	struct view_row *routes;
	struct view_verdict *verdicts;
	struct view_attempt *attempts;
	struct view_rule *rules;
	struct good *goods; /* what Diff compares with, per pixel */
	size_t nroutes, nverdicts, nattempts, nrules, ngoods;
	int64_t good_id;  /* the event the goods are of, 0: not read yet */
	bool good_failed; /* it took too long */
	struct arena text_mem;
	struct textview text;
	enum inspect_tab built_tab; /* what the lines show */
	int64_t built_id;
	bool dirty; /* new rows: build the lines again */
};

void inspect_release(struct inspect *in);
/* Another record was selected. Returns true when its rows have to be read. */
bool inspect_select(struct inspect *in, const struct view_row *v);
/* Opens it on an event that need not be in the list. */
void inspect_pin(struct inspect *in, int64_t event_id, int32_t pixel_id);
void inspect_request_tab(struct inspect *in, int step);
/* Builds the lines of the present tab when needed; the scroll position stays with the record. */
void inspect_build(struct inspect *in, const struct data *d);
void inspect_draw(struct inspect *in, const struct data *d, struct box b);

/* ui/inspect_rules.c: why the event went to this pixel, or did not: the rules in scope, in order,
 * with each predicate that was looked at and what it saw. */
void inspect_rules(
	struct inspect *in, const struct data *d, struct arena *a, const struct view_row *route);

/* ui/inspect_diff.c: what was sent to the pixel last, against the last one that was taken and the
 * platform's complaint. */
void inspect_diff(struct inspect *in, const struct data *d, struct arena *a);

/* One value as it is shown at that path, personal ones masked; in the arena. */
const char *inspect_value(struct arena *a, const char *path, const char *json);

/* ui/inspect_json.c: a JSON text as lines of a tree; values of personal fields are masked. False
 * when it is not JSON. */
bool inspect_json(struct textview *t, struct arena *a, const char *json, size_t len);

#endif
