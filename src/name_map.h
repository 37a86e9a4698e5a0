/* A pixel's own names, written by operators as "OURS = THEIRS, OURS = THEIRS": event names
 * (`lead = signup, custom:vip = ViewContent`) and content ids (`4711 = SKU-1`). A name that holds a
 * comma, an equals sign, a quote or blanks at an end stands in quotes ("a, b"; \" and \\ inside).
 * A line end counts as a comma. Nothing on the right, or the word `never`: that one is never sent.
 */
#ifndef TA_NAME_MAP_H
#define TA_NAME_MAP_H

#include "src/platform.h"

struct arena;

#define NAME_MAP_BYTES 60000 /* of the text: every version of a pixel keeps its own copy */
#define NAME_MAP_NAME  200   /* bytes of one name */

struct name_map; /* immutable, lives in its arena */

/* NULL or blank text: *out is NULL, an empty map. Errors: TA_INVALID (a sentence that names the
 * pair; a name on the left stands once). */
TA_MUST enum ta_rc name_map_parse(
	struct arena *a, const char *text, const struct name_map **out, struct ta_err *err);
/* Their name of ours; "": never sent; NULL: the map (NULL is fine) does not speak of it. */
const char *name_map_get(const struct name_map *m, const char *ours);
size_t name_map_count(const struct name_map *m);

/* Event names: our side is a name of src/events.def that platforms take, or custom:NAME for the
 * custom events of that name. */
struct event_map;
/* platform -1: their side is not checked. Errors: TA_INVALID. */
TA_MUST enum ta_rc event_map_parse(struct arena *a, const char *text, int platform,
	const struct event_map **out, struct ta_err *err);
/* The name under which an event goes to the platform: the map's (may be NULL), else Meta's custom
 * name, else the platform's own. NULL: it is never sent. */
const char *event_map_name(const struct event_map *m, enum platform_id platform,
	enum event_name name, const char *custom_name);
/* Whether the map speaks of it. */
bool event_map_has(const struct event_map *m, enum event_name name, const char *custom_name);

/* Checks for fields (src/field.h): the form alone, without the platform. */
enum ta_rc name_map_check(const char *v, struct ta_err *err);
enum ta_rc event_map_check(const char *v, struct ta_err *err);

#endif
