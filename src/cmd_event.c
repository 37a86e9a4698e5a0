/* trackai event: what happened at the shops. */
#include "src/cmd_event.h"

#include "src/cmd.h"

#include <string.h>

int cmd_event(int argc, char **argv)
{
	struct ta_err err = {0};
	if (argc > 1 && strcmp(argv[1], "normalise") == 0)
		return event_normalise(argc - 1, argv + 1);
	ta_fail(&err, TA_USAGE, "usage: trackai event normalise --topic T FILE");
	return cmd_fail("event", &err);
}
