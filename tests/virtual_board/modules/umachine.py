from machine import *
