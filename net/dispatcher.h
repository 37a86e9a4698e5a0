/* The dispatcher: reads routes, sends each delivery to its platform and writes down what became of
 * it. Active once per database. */
#ifndef NET_DISPATCHER_H
#define NET_DISPATCHER_H

struct role;

/* Runs until told to stop; returns the process's exit status. */
int dispatcher_run(const struct role *role);

#endif
