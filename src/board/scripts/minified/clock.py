def c(*A):
 B=I('umachine','machine').RTC()
 if A:B.datetime(A+(0,))
 w(' '.join(str(A)for A in B.datetime()))
