/* Command line options from a table of rows: one parser for every command. */
#ifndef TA_OPT_H
#define TA_OPT_H

#include "src/err.h"

enum opt_type { OPT_FLAG, OPT_STR, OPT_INT, OPT_YES };

/* One row: `--name` for a flag, `--name VALUE` or `--name=VALUE` else; OPT_YES is a text too,
 * "true" unless `=VALUE`, true or false follows. `out` points to bool, const char * or long. A row
 * with a NULL name ends the table. */
struct opt {
	const char *name;
	enum opt_type type;
	void *out;
	const char *help;
};

/* Takes the options out of argv (argv[0] is the command's name) and leaves the rest in place;
 * `--` ends the options; a lone `-` is an argument. Errors: TA_USAGE (unknown option, missing
 * value, not a number), in words that name the command. */
TA_MUST enum ta_rc opt_parse(int *argc, char **argv, const struct opt *opts, struct ta_err *err);

#endif
