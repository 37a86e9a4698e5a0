/* Why the pixel that is selected in Health is as it is: what keeps it back, the likeliest causes
 * with what speaks for them and what to do (src/cause.h, found by the worker), its components, and
 * what failed in the last hour. A list of its own below the pixels. */
#ifndef UI_WHY_H
#define UI_WHY_H

#include "src/cause.h"
#include "ui/draw.h"
#include "ui/list.h"

struct app;
struct data;
struct work;

struct why {
	struct list list;
	bool focused;
	int width;                 /* it was drawn in last */
	struct cause_found *found; /* owned */
	size_t nfound;
	int32_t of;     /* the pixel they are of, 0 none … */
	int64_t of_us;  /* … as of then */
	int32_t asked;  /* the pixel that is being asked about, 0 none */
	int64_t due_us; /* monotonic: not before */
	char error[240];
};

void why_release(struct why *w);
/* Asks for the causes of the selected pixel when it is not well and they are not known. */
void why_tick(struct app *app);
void why_take(struct app *app, struct work *k); /* frees the work */
void why_draw(struct app *app, struct box b);
/* Movement and Enter while it is focused. */
bool why_request(struct app *app, enum req r);

/* A component's value, and the interval that holds it ("" none), as people read them. */
void part_value(int part, const struct health_judged *p, char out[32]);
void part_range(int part, const struct health_judged *p, char out[80]);
/* The expression of the events behind a component of the pixel's health; false: there is none. */
bool part_events(const struct data *d, int32_t pixel_id, int part, char out[512]);

/* How a health status looks. */
enum style health_style(enum health_status s);
enum glyph health_glyph(enum health_status s);

#endif
