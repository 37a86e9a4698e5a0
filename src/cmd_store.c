/* trackai store: shops. */
#include "src/cmd_store.h"

#include "src/cmd.h"
#include "src/cmd_history.h"
#include "src/cmd_table.h"

#include <string.h>

int cmd_store(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "canary") == 0)
		return store_canary(argc, argv);
	int status = cmd_history(argc, argv);
	if (status < 0)
		status = cmd_table(argc, argv);
	return status >= 0 ? status : cmd_verb_fail(argc, argv);
}
