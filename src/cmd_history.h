/* trackai store|pixel history, rollback: what a row said before, and back to it (db/history.h).
 * Rules have their own (cmd_rule_history.c): theirs also show what was deleted. */
#ifndef TA_CMD_HISTORY_H
#define TA_CMD_HISTORY_H

/* Runs `trackai WORD history|rollback …`; argv[0] is the table's word. Returns the exit status, -1
 * when the verb is none of these. */
int cmd_history(int argc, char **argv);

#endif
