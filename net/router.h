/* The router: receipts in, events and routes out, one transaction per batch (DESIGN 4). */
#ifndef NET_ROUTER_H
#define NET_ROUTER_H

struct role;

/* Runs until told to stop. Returns the process exit status. */
int router_run(const struct role *role);

#endif
