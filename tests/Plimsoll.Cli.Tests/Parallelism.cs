// The options of the command line are shared objects that each invocation adds to its own command tree: one invocation at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
