/* Parts of `trackai event`. */
#ifndef TA_CMD_EVENT_H
#define TA_CMD_EVENT_H

/* trackai event normalise --topic T FILE; argv[0] is "normalise". Prints one document per line, or
 * the typed failure. Needs no database. Returns the exit status: 4 for a failure. */
int event_normalise(int argc, char **argv);

#endif
