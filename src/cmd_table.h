/* The verbs that every editable table has on the command line, from its fields (db/table.h). */
#ifndef TA_CMD_TABLE_H
#define TA_CMD_TABLE_H

#include "src/err.h"

struct arena;
struct db;
struct table;
struct table_row;
struct ta_field;

/* Runs `trackai WORD add|list|show|set|delete …`; argv[0] is the table's word. Returns the exit
 * status, -1 when the verb is none of these (nothing was touched). */
int cmd_table(int argc, char **argv);
/* The row of that name or id (NULL: none was given); usage errors in words. */
TA_MUST enum ta_rc cmd_table_row(struct db *db, const struct table *t, const char *which,
	struct arena *a, struct table_row *out, struct ta_err *err);
/* The value of a field's option, NULL when it was not given: of a secret (@FILE, - for standard
 * input, or the value itself, which warns on stderr) and of a list that may be long (@FILE) the
 * text that is meant, in the arena. A line end at the end is dropped. */
TA_MUST enum ta_rc cmd_field(
	const struct ta_field *f, struct arena *a, const char **value, struct ta_err *err);
/* "webhook-secret" of the field webhook_secret, in the arena. */
const char *cmd_option_name(struct arena *a, const struct ta_field *f);

#endif
