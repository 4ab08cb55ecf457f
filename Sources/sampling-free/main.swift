import SamplingFreeCommand

SamplingFreeCommand.run()
