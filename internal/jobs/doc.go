// Package jobs runs work that outlives a request.
//
// A job is a document, written in the transaction that wants the work done, so
// that work is neither lost nor done for what was never committed. A loop (Run)
// claims the jobs that are due and calls the handler of their kind.
//
// # At least once
//
// A claim is a lease: it names the loop that holds it, has an end that the loop
// moves on while it runs, and raises the job's epoch. What a handler writes, it
// writes through Run.Update, whose transaction first checks that the lease is
// still this one. So a handler may begin any number of times, after crashes and
// failures, but what a lease that was lost would write is refused, and "once" is
// what the store shows in the end. Effects outside the store must bear being
// repeated.
//
// After a crash a lease ends by itself. Where one process has the store to
// itself, as store.Lock sees to, no lease of another can be alive: Recover ends
// them all, and is called before Run.
//
// # One at a time
//
// A job is known by its kind and its id, and is there once: to enqueue it again
// while it waits changes nothing but its payload and how soon it is due; while
// it runs it will run once more. A job that is done is deleted, unless it has a
// schedule.
package jobs
