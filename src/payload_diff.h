/* How an event as it was sent differs from another of the same name: field by field, with what kind
 * of difference it is and how the two values look. Made for the question why a platform took the
 * one and refused the other. Pure. */
#ifndef TA_PAYLOAD_DIFF_H
#define TA_PAYLOAD_DIFF_H

#include "src/complaint.h"

#include <stdbool.h>

enum payload_change {
	PAYLOAD_MISSING, /* the good one has it */
	PAYLOAD_ADDED,   /* the good one has it not */
	PAYLOAD_TYPE,    /* another JSON type */
	PAYLOAD_SHAPE,   /* the same type that looks different: seconds and milliseconds, hash and
			    text */
	PAYLOAD_VALUE,
	PAYLOAD_COUNT, /* a list of another length */
	PAYLOAD_SAME   /* only where the platform complains of it */
};

struct payload_case {
	enum platform_id platform;
	const char *now;  /* the event's own object as sent */
	const char *good; /* of the one that was taken; NULL: there is none */
	size_t nnow, ngood;
	const char *code, *message, *response; /* the complaint; NULL none */
	size_t nresponse;
};

/* Texts live in the arena. */
struct payload_line {
	const char *path;
	enum payload_change change;
	bool blamed; /* the platform complains of it */
	enum complaint_problem problem;
	bool varies;              /* differs from event to event anyhow: ids, times, people */
	const char *before, *now; /* JSON, of the good one and of this; NULL: not there */
	const char *before_look, *now_look; /* "number in a string", "SHA-256"; "" not there */
};

struct payload_diff {
	struct payload_line *lines; /* what is complained of, then by change; what varies last */
	size_t n, nblamed, nvaries;
	bool readable; /* `now` is a JSON object */
	bool cut;      /* more differs than PAYLOAD_LINES */
};

#define PAYLOAD_LINES 500

void payload_diff(const struct payload_case *c, struct arena *a, struct payload_diff *out);
const char *payload_word(enum payload_change c); /* "missing", "added", "type", … */
/* How a JSON value looks, in words: type and, where it tells, form. Static text. */
const char *payload_look(const struct jv *v);

#endif
