/* Which field of an event a platform complains of: read off its code and its words with the table
 * src/complaints.def, Meta's blame_field_specs before those, and looked up in what was sent. Pure.
 */
#ifndef TA_COMPLAINT_H
#define TA_COMPLAINT_H

#include "src/words.h"

#include <stddef.h>

struct arena;
struct jv;

enum complaint_problem { COMPLAINT_VALUE, COMPLAINT_MISSING, COMPLAINT_UNEXPECTED };

/* What the platform said of one event. Borrowed; NULL: nothing. */
struct complaint_case {
	enum platform_id platform;
	const char *code, *message; /* as a verdict has them: "100/2804003" */
	const char *response;       /* the whole answer, for what only its body says */
	size_t nresponse;
	const struct jv *event; /* the event's own object as it was sent */
};

struct complaint {
	const char
		*path; /* in the event's own object: "custom_data.contents[1].id"; in the arena */
	enum complaint_problem problem;
};

#define COMPLAINTS_MAX 8

/* How many fields are named, 0 when the answer names none. */
size_t complaint_of(
	const struct complaint_case *c, struct arena *a, struct complaint out[COMPLAINTS_MAX]);
const char *complaint_word(enum complaint_problem p); /* "value", "missing", "unexpected" */
const char *complaint_text(enum complaint_problem p); /* a half sentence */

#endif
