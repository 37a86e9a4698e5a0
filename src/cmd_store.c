/* trackai store: shops. */
#include "src/cmd.h"
#include "src/cmd_history.h"
#include "src/cmd_table.h"

int cmd_store(int argc, char **argv)
{
	int status = cmd_history(argc, argv);
	if (status < 0)
		status = cmd_table(argc, argv);
	return status >= 0 ? status : cmd_verb_fail(argc, argv);
}
