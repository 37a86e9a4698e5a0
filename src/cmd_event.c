/* trackai event: what happened at the shops. */
#include "src/cmd_event.h"

#include "src/cmd.h"

#include <string.h>

static const struct {
	const char *verb;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"list", event_list},
	{"show", event_show},
	{"tail", event_tail},
	{"normalise", event_normalise},
};

int cmd_event(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < TA_COUNT(verbs); i++)
		if (strcmp(argv[1], verbs[i].verb) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return cmd_verb_fail(argc, argv);
}
