/* The folder: adds the stages' deltas (table tally) up into rollups and ledger behind a cursor per
 * stage, compacts them, tells the consoles (tick), makes partitions ahead and lets old ones go. */
#ifndef DB_FOLDER_H
#define DB_FOLDER_H

struct role;

/* Runs until told to stop; returns the exit status. */
int folder_run(const struct role *role);

#endif
