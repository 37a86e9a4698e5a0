/* Values that the fields of expressions had lately, for Tab completion. Read by the worker from the
 * newest documents, never while a key waits; nothing personal is among them: no address, no name,
 * no click id, no URL. */
#ifndef UI_SEEN_H
#define UI_SEEN_H

#include "src/arena.h"
#include "src/event.h"

#define SEEN_FIELDS 24 /* fields that are collected */
#define SEEN_VALUES 60 /* different values kept of one */
#define SEEN_DOCS   500

struct seen_value {
	const char *text;
	int n; /* events */
};

struct seen_field {
	int field;                 /* number of src/rule_field.h */
	struct seen_value *values; /* room for SEEN_VALUES, most frequent first once sorted */
	int n;
};

struct seen {
	struct arena mem;
	struct seen_field fields[SEEN_FIELDS];
	int nfields;
};

void seen_release(struct seen *s);
void seen_event(struct seen *s, const struct event *ev); /* counts one */
void seen_sort(struct seen *s);
/* What a field had; NULL: nothing known. utm.source and so on by their number. */
const struct seen_field *seen_of(const struct seen *s, int field);

#endif
