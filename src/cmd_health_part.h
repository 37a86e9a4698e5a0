/* The components of a pixel's health for trackai health, and what stands beside them: the share of
 * each match key by event name, and what the platform itself says of the events. */
#ifndef TA_CMD_HEALTH_PART_H
#define TA_CMD_HEALTH_PART_H

#include "db/health.h"
#include "db/quality.h"
#include "src/cmd_out.h"

struct health_detail {
	const struct health_row *row; /* borrowed; NULL: not asked for */
	struct health_keys_list keys;
	struct quality_row quality; /* what the platform itself says */
};
TA_MUST enum ta_rc health_detail_read(struct db *db, const struct health_row *row, struct arena *a,
	struct health_detail *out, struct ta_err *err);

/* Each component by its word; "next" says what to do about one that is not well. */
json_t *health_parts_json(const struct health_row *row);
/* The components as rows; `circuit`: the last row's text. Below it the next steps. */
void health_parts_print(const struct health_row *row, const char *circuit);
/* Adds to / prints what the detail holds. */
void health_detail_json(json_t *o, const struct health_detail *d);
void health_detail_print(const struct health_detail *d);

#endif
