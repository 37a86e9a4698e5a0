/* The words of the `:` line. */
#ifndef UI_CMDLINE_H
#define UI_CMDLINE_H

#include <stddef.h>

/* What stands behind a command; what Tab completes there. */
enum cmd_argument {
	ARG_NONE,
	ARG_EXPR,
	ARG_TIME,
	ARG_MOMENT,
	ARG_STORE,
	ARG_PIXEL,
	ARG_EXPORT,
	ARG_SECONDS,
	ARG_HOURS,
	ARG_SWITCH
};

struct cmdline {
	const char *word, *help;
	const char *example; /* what stands behind it, "" nothing */
	enum cmd_argument argument;
};

/* The nth command, NULL behind the last. */
const struct cmdline *cmdline_get(int i);
/* What the word takes: a command's argument, an expression behind a view, else nothing. */
enum cmd_argument cmdline_argument(const char *word, size_t n);

#endif
