/* Values of JsonLogic and what JavaScript does to them; shared by the files logic_*.c and rule_*.c
 * only. */
#ifndef TA_LOGIC_VALUE_H
#define TA_LOGIC_VALUE_H

#include "src/logic.h"

/* One evaluation. After the first failure everything ends; err says why. */
struct logic_run {
	struct arena *a;
	struct ta_err *err;
	size_t steps, memory; /* taken so far; arena's mark at the start */
	int depth;
	bool failed;
	bool strict_order; /* over an event: a missing side is never ordered */
};

#define LOGIC_UNDEF ((struct logic_value){.type = LOGIC_UNDEFINED})

/* False, with the failure set, when a bound is reached. */
bool logic_spend(struct logic_run *r, size_t steps);
struct logic_value logic_fail(struct logic_run *r, const char *fmt, ...) TA_PRINTF(2, 3);

struct logic_value logic_null(void);
struct logic_value logic_bool(bool b);
struct logic_value logic_number(double n);
struct logic_value logic_string(const char *s, size_t n); /* borrowed, NUL behind it */
/* An array over `items`, which are in the arena (or NULL when n is 0). */
struct logic_value logic_array(struct logic_run *r, struct logic_value *items, size_t n);
struct logic_value *logic_items(struct logic_run *r, size_t n);

/* String(v) and Number(v). */
struct logic_value logic_to_string(struct logic_run *r, const struct logic_value *v);
double logic_to_number(struct logic_run *r, const struct logic_value *v);
double logic_parse_number(const char *s); /* Number() of a text */
double logic_parse_float(const char *s);  /* parseFloat() of a text */
void logic_put_number(struct buf *b, double n);
/* Texts one behind the other, `between` them; null and undefined are nothing. */
struct logic_value logic_join(
	struct logic_run *r, const struct logic_value *items, size_t n, const char *between);

bool logic_strict(const struct logic_value *x, const struct logic_value *y); /* === */
bool logic_loose(struct logic_run *r, const struct logic_value *x, const struct logic_value *y);
/* -1, 0, 1; 2 when the two have no order. */
int logic_order(struct logic_run *r, const struct logic_value *x, const struct logic_value *y);

/* Comparisons over an event or plain data (logic_event.c). */
enum { LOGIC_BEFORE = 1, LOGIC_BESIDE = 2, LOGIC_AFTER = 4 }; /* bit order + 1 */
bool logic_event_equal(
	struct logic_run *r, const struct logic_value *x, const struct logic_value *y);
bool logic_event_ordered(struct logic_run *r, const struct logic_value *x,
	const struct logic_value *y, unsigned orders);
bool logic_contains(struct logic_run *r, const struct logic_value *x, const struct logic_value *in);
struct logic_value logic_of_rule(struct logic_run *r, const struct rule_value *v);

/* Texts in UTF-16 units, as JavaScript counts. */
size_t logic_units(const char *s, size_t n);
struct logic_value logic_slice(
	struct logic_run *r, const struct logic_value *s, size_t from, size_t count);
int logic_text_order(const struct logic_value *x, const struct logic_value *y);
/* A text made of pieces: two halves of a pair that came together become one character. */
struct logic_value logic_text(struct logic_run *r, const char *s, size_t n);

/* v[key]; undefined when there is none. */
struct logic_value logic_member(
	struct logic_run *r, const struct logic_value *v, const char *key, size_t n);

#endif
