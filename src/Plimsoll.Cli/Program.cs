using Plimsoll.Cli;

return CliApplication.Run(args, CliEnvironment.System);
