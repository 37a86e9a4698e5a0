/* trackai delivery: events at their pixels. */
#include "src/cmd.h"
#include "src/cmd_event.h"

#include <string.h>

int cmd_delivery(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return delivery_list(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "release") == 0)
		return delivery_release(argc - 1, argv + 1);
	return cmd_verb_fail(argc, argv);
}
