/* Verbs of `trackai rule` beside those of every table; each returns the exit status. */
#ifndef TA_CMD_RULE_H
#define TA_CMD_RULE_H

int cmd_rule_history(int argc, char **argv);
int cmd_rule_rollback(int argc, char **argv);
int cmd_rule_backtest(int argc, char **argv);
int cmd_rule_release(int argc, char **argv);

#endif
