/* Tasks on threads. A solver has threads of its own, which sleep between calls.
 *
 * The thread that calls takes tasks too, so `count` threads are the caller and count - 1 helpers. Helpers are started
 * with the solver, where failure can be returned: if the system refuses one, there are fewer. No call waits for a
 * helper that has not begun. So a call also ends in the child of a fork, which has no helpers: there the caller does
 * every task. */
#ifndef CNF_HOST_THREADS_H
#define CNF_HOST_THREADS_H

#include <stdint.h>

#define CNF_MOST_THREADS 4096

typedef struct cnf_threads cnf_threads;

/* Work of a call: number is that of the task; worker that of the thread, below the numbers of threads and tasks. */
typedef void cnf_task(void *context, int64_t number, int32_t worker);

/* Starts up to count - 1 helpers. NULL: the caller is alone, as every function here understands. */
cnf_threads *cnf_threads_start(int32_t count);
/* Ends the helpers. They must have no tasks. */
void cnf_threads_stop(cnf_threads *threads);
/* How many threads take tasks, the caller among them. */
int32_t cnf_threads_count(const cnf_threads *threads);

/* Calls task(context, number, worker) for every number below count, and returns when all have returned. */
void cnf_threads_run(cnf_threads *threads, int64_t count, cnf_task *task, void *context);

/* As many threads as this process can use: OMP_NUM_THREADS of the environment, else the processors that it may run on,
 * or fewer if the quota of its control group is for fewer. */
int32_t cnf_threads_default(void);

#endif
