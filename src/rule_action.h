/* What a rule does with an event that it matches: an action's word and its argument (the rule's
 * field "with"), parsed once and printed in one form. Rows: src/rule_actions.def. */
#ifndef TA_RULE_ACTION_H
#define TA_RULE_ACTION_H

#include "src/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

enum rule_action {
#define ACTION(NAME, word, argument, help) ACTION_##NAME,
#include "src/rule_actions.def"
#undef ACTION
	ACTION_COUNT
};

enum rule_argument { ARGUMENT_NONE, ARGUMENT_MAY, ARGUMENT_MUST };

struct rule_action_row {
	const char *word, *help;
	enum rule_argument argument;
};
extern const struct rule_action_row rule_action_rows[ACTION_COUNT];

#define RULE_WITH_MAX   2000                /* bytes of an argument */
#define RULE_TERMS_MAX  32                  /* assignments of set, names of remove */
#define RULE_NAME_MAX   100                 /* bytes of rename's event name */
#define RULE_HOLD_MAX_S (30 * 86400)        /* longest hold that ends by itself */
#define RULE_PPM        ((uint32_t)1000000) /* sample: the whole, in millionths */

/* One assignment of set (field = value), or one name of remove (no value). Texts are NUL-terminated
 * UTF-8. Fields of set: value, event.custom_name, event.url, event.referrer, event.language,
 * event.search, order.name, user.*, utm.*, click.*, custom.NAME; remove takes the same, and the
 * groups items, user, utm, click, custom. Short names are put in full: country is user.country,
 * url is event.url, referrer is event.referrer, event.value is value. */
enum rule_term_type { TERM_NONE, TERM_TEXT, TERM_NUMBER, TERM_BOOL, TERM_MONEY };
struct rule_term {
	const char *field;
	enum rule_term_type type;
	const char *text; /* TEXT: the text; NUMBER and MONEY: the decimal as given, "12.50" */
	bool b;           /* BOOL; custom.* only, as NUMBER is */
	char currency[4]; /* MONEY: ISO 4217, "": the event's own */
};

/* An action, parsed; lives in its arena. */
struct rule_act {
	enum rule_action kind;
	const char *with; /* its argument in canonical form, "" none */
	const char *name; /* RENAME: the event's name; ROUTE: the pixel's name; else NULL */
	int64_t hold_us;  /* HOLD: after so long it is sent by itself; 0: only by hand */
	uint32_t ppm;     /* SAMPLE: how many of a million are sent, 0..RULE_PPM */
	const struct rule_term *terms; /* SET, REMOVE */
	size_t nterms;
};

/* Number of an action's word, -1 if there is none. */
int rule_action_of(const char *word);
/* Parses an action; `with` may be NULL. Pure. Errors: TA_INVALID with err->field "action" or
 * "with"; the sentence says what was expected, and *at (byte offset in `with`, may be NULL) where.
 */
TA_MUST enum ta_rc rule_action_parse(struct arena *a, const char *word, const char *with,
	struct rule_act *out, size_t *at, struct ta_err *err);
/* Appends "drop", "hold 2h", "set value = 12.50 EUR": for people. */
void rule_action_print(const struct rule_act *act, struct buf *b);
/* Whether the event goes out, changed or not (send, rename, set, remove). */
bool rule_action_sends(enum rule_action kind);

#endif
