/* The program's commands: `trackai WORD …` runs cmd_WORD. */
#ifndef TA_CMD_H
#define TA_CMD_H

#include "src/err.h"

/* Each returns the exit status; argv[0] is the command's word. */
#define CMD(fn, name, args, help) int cmd_##fn(int argc, char **argv);
#include "src/cmd.def"
#undef CMD

/* Prints "trackai WORD: message" on stderr and returns the exit status of err. */
int cmd_fail(const char *word, const struct ta_err *err);
/* A verb (argv[1]) that the command does not have, or none: says so, returns 2. */
int cmd_verb_fail(int argc, char **argv);

#endif
