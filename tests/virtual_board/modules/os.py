# The same module under the name that a file of the pupil's may take; the other one no file can.
import uos as _module


def __getattr__(name):
    return getattr(_module, name)
