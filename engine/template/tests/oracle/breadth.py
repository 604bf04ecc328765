"""More of the table: filters, methods, formats and operators x values of every kind.

Dense on purpose: one list per kind, every pair is a case.
"""
import itertools


def ex(expression):
    return "{{ " + expression + " }}"


def filters():
    E = []
    strs=["'Hello World'","'it\\'s a-b c_d'","'ǅ ß ﬁ'","'İSTANBUL'","'ΑΣΣ ΑΣ.'","'١٢ ²½'","' \\t\\n x \\r\\n'","'a,b,,c'","'--x--'","'<b>&amp;</b>'","'αβγ'","'e\\u0301'", "'0x1f'","'1_000'","' 12 '","'1e3'","'-0'","'+7'","'1.5e-7'","'nan'","'-inf'","'Infinity'","'１２'"]
    filt=["abs","capitalize","center(20)","center(-1)","count","escape","e|string","filesizeformat","first","last","float","float('x')","float(default='q')","forceescape","indent","indent(2,true,true)","int","int(5)","int(base=16)","int(0,2)","int(base=0)","int(1,36)","list","lower","upper","title","length","pprint","reverse","safe","string","striptags","trim","trim('-')","trim(chars='- x')","truncate(5)","truncate(5,true)","truncate(5,leeway=0)","truncate(length=6,end='')","unique|list","urlencode","wordcount","wordwrap(3)","wordwrap(5,false)","tojson","urlize","sort","sort(true)","sort|join","min","max","sum","join('-')","join","random|length","batch(3)|list","slice(3)|list","slice(2,'z')|list","replace('a','b')","replace('','-')","replace('l','',1)","round","format","map('upper')|list","select|list","reject('in','lo')|list","xmlattr","items|list","dictsort","groupby(0)|list","default('x')","default('x',true)","b64encode","sha256","to_json","to_yaml","from_yaml"]
    for s in strs:
        for f in filt: E.append(ex(f"{s} | {f}"))
    nums=["0","1","-1","3.5","2.5","-2.5","0.5","1e16","1e-7","123456789.123456789","10**30","-2**100*1","1e22","1/3","100/3","true","none","-0.0","0.1+0.2"]
    nf=["round","round(2)","round(1,'ceil')","round(1,'floor')","round(-1)","round(-1,'ceil')","round(method='bogus')","abs","int","float","string","filesizeformat","filesizeformat(true)","tojson","to_json","to_yaml","pprint","length","upper","center(5)","urlencode","int(base=3)","truncate","escape","trim","title","striptags","wordcount","default(1,true)","replace('1','x')","indent","batch(2)|list","list","first","sort","xmlattr","urlize","b64encode","sha256","join","capitalize","reverse","sum","items|list","format","unique|list","string|length","dictsort"]
    for s in nums:
        for f in nf: E.append(ex(f"({s}) | {f}"))
        E.append(ex(s))
        E.append(ex(f"'%s %r' % (({s}),({s}))"))
    conts=["[]","[1]","[3,1,2,1]","['b','a','C','A']","[1,'a']","[none,1]","[[2,1],[1,2]]","[1.0,true,1]","{}","{'b':1,'a':2,'C':0}","{2:'x',1:'y'}","{'a':[1,{'b':2}]}","(1,2,3)","()","('x',)","range(4)","range(3,0,-1)","[{'k':'b','v':1},{'k':'A','v':2},{'k':'a','v':3}]","[{'k':{'z':1}},{'k':{'z':0}}]","[{'k':1},{'v':2}]","d","users","d.items()","d.keys()","d.values()","[undefined_x]","['a'|safe,'<']"]
    cf=["abs","first","last","length","list","string","sort","sort(reverse=true)","sort(attribute='k')","sort(attribute='k,v')","sort(attribute='k',case_sensitive=true)","sort(false,true)","sort(attribute='k.z')","sort(attribute=0)","sort(attribute='0')","unique|list","unique(true)|list","unique(attribute='k')|list","unique(false,'k')|map(attribute='v')|list","min","max","min(attribute='k')","max(true,'v')","sum","sum(start=10)","sum('v')","sum(attribute='v',start=1)","sum(start=[])","join","join(',')","join(', ','k')","join(attribute='v')","map(attribute='k')|list","map(attribute='k.z')|list","map(attribute='zz',default='D')|list","map(attribute='zz')|list","map('first')|list","map('string')|list","map('nosuch')|list","map()|list","map('join','-')|list","map('int',default=7)|list","map(attribute='k',foo=1)|list","select|list","select('odd')|list","select('nosuch')|list","select('gt',1)|list","reject('string')|list","selectattr('k')|list","selectattr('k','eq','a')|list","selectattr('zz','defined')|list","rejectattr('k','defined')|list","selectattr('k.z','undefined')|list","selectattr()|list","select('==',1)|list","select('in',[1,'a'])|list","groupby('k')|list","groupby('k',case_sensitive=true)|list","groupby('zz',default='q')|list","groupby('zz',default=none)|list","groupby(attribute='v')|map('last')|list","groupby('k')|map(attribute='grouper')|list","groupby(0)|list","batch(2)|list","batch(2,'x')|list","batch(linecount=3,fill_with=0)|list","batch(0)|list","batch(-1)|list","batch('2')|list","slice(2)|list","slice(3,'x')|list","slice(slices=2,fill_with=none)|list","slice(0)|list","slice(-1)|list","reverse|list","reverse","dictsort","dictsort(true)","dictsort(by='value')","dictsort(false,'value',true)","dictsort(by='zz')","items|list","items|first","xmlattr","xmlattr(false)","xmlattr(autospace=false)","urlencode","tojson","tojson(2)","tojson(indent=0)","tojson(indent='--')","to_json","to_yaml","pprint","attr('k')","default([])","default('x',true)","upper","lower","title","trim","replace('1','9')","truncate(9)","center(40)","indent","wordwrap(5)","wordcount","escape","striptags","int","int(3)","float","float(1)","round","filesizeformat","format","count","safe","urlize","capitalize","b64encode","from_yaml","sha256"]
    for s in conts:
        for f in cf: E.append(ex(f"{s} | {f}"))
        E.append(ex(s)); E.append(ex(f"{s} ~ ''")); E.append(ex(f"'%s' | format({s})"))
        for op in ["==","!=","<",">=","+","in","not in","and","or"]:
            E.append(ex(f"{s} {op} [1]")); E.append(ex(f"1 {op} {s}")); E.append(ex(f"'a' {op} {s}")); E.append(ex(f"{s} {op} {s}"))
        for t in ["defined","sequence","iterable","mapping","string","number","callable","sameas(1)","in([[],{}])","eq([])","lower","upper","even","odd","divisibleby(2)","none","true","boolean","lt(3)","escaped","test","filter"]:
            E.append(ex(f"{s} is {t}")); E.append(ex(f"{s} is not {t}"))
    return E


def methods_and_formats():
    E = []
    strs=["'Hello World'","'ǅ ß ﬁ'","'İSTANBUL ΑΣΣ'","'١٢'","'²½Ⅷ'","'a\\tb\\x0bc\\x1cd\\u2028e\\r\\nf\\x85g'","'__a_1'","'1a'","'éÀ'","'aXbXXc'","'  lead  mid  '","''","'they\\'re bill\\'s'"]
    calls=["capitalize()","casefold()","swapcase()","title()","upper()","lower()","istitle()","isupper()","islower()","isalpha()","isalnum()","isdecimal()","isdigit()","isnumeric()","isspace()","isidentifier()","isprintable()","isascii()","split()","split(None)","split(none, -1)","rsplit(maxsplit=2)","split('X')","split('X',1)","rsplit('X',1)","split('XX')","splitlines()","splitlines(True)","splitlines(keepends=true)","strip()","lstrip()","rstrip()","strip('aX')","partition('X')","rpartition('X')","partition('')","find('X')","find('X',-2)","find('',5)","find('',50)","rfind('')","rfind('X',1,-1)","index('zz')","count('X')","count('XX')","count('',2)","count('X',2,9)","replace('X','')","replace('X','yy',1)","replace('','-',3)","replace('','-',1)","center(21)","center(20,'*')","ljust(3)","rjust(15,'é')","zfill(8)","expandtabs()","expandtabs(0)","expandtabs(tabsize=3)","startswith('')","startswith('',50)","endswith(('d','c'))","endswith('b',0,3)","startswith(('a',1))","startswith(['a'])","encode()","encode('utf-8')","encode('ascii')","encode('latin-1')","encode().decode()","encode('utf-8').hex()","join('xyz')","join(['a','b'])","join({'a':1,'b':2})","join(1)","join([1])","removeprefix('a')","removesuffix('')","format()","upper","isalpha","foo","foo()","split(1)","split('a','b')","center('a')","zfill(-3)","strip(1)","strip('a','b')","lower(x=1)","format_map({'a':1})","index('l', 4)","rindex('l',0,4)","isdecimal(1)"]
    for s in strs:
        for c in calls: E.append(ex(f"{s}.{c}"))
        for i in ["0","-1","100","1:3","::-1","::2","-3:","10:2:-1","5:0:-2","'a'","none","1.5","true","(0,1)","[1]","0:2:0","none:none:none","::-3","-100:2",":-100","100:","true:"]:
            E.append(ex(f"{s}[{i}]"))
    fm=["{}","{0}","{1}","{a}","{:d}","{:s}","{:>10}","{:<10}|","{:^10}|","{:=+10}","{:*^9}","{:010}","{:+}","{: }","{:-}","{:b}","{:o}","{:x}","{:X}","{:#x}","{:#b}","{:#o}","{:n}","{:c}","{:e}","{:E}","{:f}","{:F}","{:g}","{:G}","{:%}","{:.3}","{:.0f}","{:.3f}","{:10.2f}","{:,}","{:_}","{:,.2f}","{:_x}","{:#.3g}","{:+.1e}","{:08.2f}","{:<08}","{:>+8}","{!r}","{!s}","{!a}","{!r:>10}","{!x}","{:{}}","{:{w}}","{0:{1}}","{0!r:^{w}}","{0.x}","{0[0]}","{0[a]}","{0[-1]}","{a.b}","{} {0}","{0} {}","{{{}}}","}","{","{}}","{:z}","{:10z}","{: >5}","{:\u00e9>5}","{:.2s}","{:5c}","{:05d}","{:+d}","{:,d}","{:.2%}","{:+,}","{:012,}","{:_b}","{:#012x}","{:.10g}","{:g}","{:.1}","{: d}","{:=8}","{:!>5}"]
    va=["7","-7","2.5","-0.0","1234567.891","12345678901","true","none","'ab'","'é'","[1,2]","{'a':1}","(1,2)","1e20","1e-5","100.0","0","1e16","range(3)","'x', 12","3, 9","1, w=9","a=1, w=8","a='x'", "'a', a='b'", "255", "1e15"]
    for f in fm:
        for v in va: E.append(ex(f"'{f}'.format({v})"))
    pf=["%s","%r","%a","%d","%i","%u","%5d|","%-5d|","%05d","%+d","% d","%+5.1f","%x","%X","%#x","%#X","%#o","%o","%e","%E","%f","%F","%g","%G","%#g","%.0f","%#.0f","%.3d","%.10s","%5.1s|","%-8s|","%08s","%c","%5c|","%-5c|","%%","%5%|","%(a)s","%(a)5.2f","%(a)","%(a)d %(b)s","%s %s","%*d","%-*d|","%.*f","%ld","%hd","%y","%","%5","% ","%-","a%","%s%%","%+s","% s","%.2e","%.2g","%10.3e|","%-10.3e|","%010.3f","%+.2E","%-+7d|","% 05d","%-05d|","%+05d","%+x","%#5x|","%#05x","%-#8x|","%.3x","%10.4d|","%-10.4d|","%010.4d"]
    va=["7","-7","2.5","-2.5","0","true","none","'ab'","'c'","[1]","[]","(1,)","()","(1,2)","(3,1.5)","{'a':1}","{'a':'x','b':2}","{}","1e20","1e-5","65","12345678901234567890","('x','y')","range(2)","'é'"]
    for f in pf:
        for v in va: E.append(ex(f"'{f}' % {v}"))
    for f in pf[:40]:
        E.append(ex(f"'{f}' | format(5, 'x')")); E.append(ex(f"'{f}' | format(a=5, b='x')")); E.append(ex(f"'{f}' | format('q')"))
    # numbers
    ns=["7","-7","0","2.5","-2.5","true","1e300","3","-3","0.0","1.5e-5","10**20", "0.1", "false"]
    for a,b in itertools.product(ns,ns):
        for o in ["+","-","*","/","//","%","**","==","<"]:
            if o=="**" and (a=="10**20" or b in("10**20","1e300")): continue
            E.append(ex(f"({a}) {o} ({b})"))
    for n in ns:
        for c in ["bit_length()","foo","foo()"]: E.append(ex(f"({n}).{c}"))
        E+= [ex(f"-({n})"),ex(f"+({n})"),ex(f"not ({n})"),ex(f"({n})[0]"),ex(f"({n})()"),ex(f"'ab'*({n})"),ex(f"({n})*[1]"),ex(f"range({n})|list|length" if n not in("1e300","10**20") else "1"), ex(f"l[{n}]"), ex(f"'abc'[{n}]"), ex(f"(1,2)[{n}]"), ex(f"range(5)[{n}]"), ex(f"{{1:'a',0:'z',7:'s'}}[{n}]"), ex(f"({n}) is sameas ({n})"), ex(f"({n}) in [1,2.5,0]"), ex(f"({n}) is divisibleby(3)")]
    ls=["[3,1,2]","['b','a']","[]","[[1],[1]]","[1,'a',none]","(1,2,1)","()"]
    lc=["append(4)","append([1])","extend((1,2))","extend({'a':1})","extend(range(2))","extend('ab')","extend(none)","insert(0,9)","insert(-1,9)","insert(-99,9)","insert('a',1)","remove(2)","remove(99)","pop()","pop(0)","pop(-1)","pop(99)","pop(1.0)","index(1)","index(99)","index(1,1)","index(1,0,2)","count([1])","count(none)","sort()","sort(reverse=True)","sort(key=none)","sort(reverse=1)","reverse()","copy()","clear()","foo","append","append(x=1)","copy(1)","sort(true)","extend()", "insert(1)"]
    for l in ls:
        for c in lc: E.append("{% set v = "+l+" %}{{ v."+c+" }}|{{ v }}")
    ds=["{'a':1,'b':[2]}","{}","{1:'x',none:2,true:3}","{'items':1,'keys':2,'get':3,'pop':4}","{(1,2):3}"]
    dc=["a","b","items","items()","keys","keys()","get","get('a')","get('zz')","get('zz','d')","get(default=1)","get('a',default=2)","get(1,2,3)","pop('a')","pop('zz')","pop('zz',1)","pop()","popitem()","setdefault('a')","setdefault('n',5)","setdefault()","update({'a':9})","update(a=9,z=1)","update([['q',1]])","update([('q',1)],w=2)","update('ab')","update(['ab','cd'])","update([1])","update(1)","update(none)","copy()","clear()","values()","fromkeys(['a','b'])","fromkeys('ab',1)","fromkeys([])","fromkeys(1)","foo","foo()","keys()|list","keys()|sort(attribute=none)|list","items()|list|first","values()|list","keys()|length","items()|sort|list","copy().update({'z':1})","keys()[0]","items()[0]","keys() == keys()","copy(1)","values()|sum","items()|first", "get([])", "pop([])","has_key('a')"]
    for d in ds:
        for c in dc: E.append("{% set v = "+d+" %}{{ v."+c+" }}|{{ v }}")
        for i in ["'a'","1","none","1.0","true","(1,2)","[1]","{}","'zz'","0:1","'a','b'"]: E.append("{% set v = "+d+" %}{{ v["+i+"] }}")
    for e in ["[1]+[2]","[1]+(2,)","(1,)+(2,)","[1]*2","2*[1]","[1]*-1","(1,)*2","'a'*0","[1]-[1]","{}+{}","{'a':1}|dictsort","[1,2]==[1,2.0]","(1,2)==[1,2]","[1]<[2]","[1,2]<[1]","(1,)<(2,)","[1]<(2,)","{}<{}","'a'<'b'","'a'<1","none<1","none==none","none<none","true<2","true+true","true*'a'","'1'+1","1+'1'","none+1","[]+none","1 in [true]","'a' in 'abc'","'' in ''","1 in 'a'","none in [none]","none in 'a'","[] in [[]]","'a' in {'a':1}","[] in {}","1 in 1","1 in none","'a' in none","1 in range(3)","1.0 in range(3)","'a' in range(3)","1 not in [1]","not 1 in [1]","1 < 2 < 3","1 < 3 < 2","1 < 2 == 2","3 > 2 > 1 > 0","1 == 1.0 == true","1 in [1] == true","1 is odd == true","1 != 2 != 1","not 1 == 2","not not 1","- - 1","-+1","+-+1","2**3**2","-2**2","2**-1","(-8)**(1/3)","0**0","0**-1","0.0**-1","7//2","-7//2","7//-2","7.5//2","-7.5//2","7%3","-7%3","7%-3","7.5%2","-7.5%2","5.5%-2","1//0","1%0","1/0","1.0//0","1.0%0","'%'%1","1~2","1~'a'~none~true~1.5","[1]~{}","1 ~ -2","1 + 2 ~ 3 * 4","'a' 'b'","'a' ~ 'b' | upper","('a' ~ 'b') | upper","1 if 0","1 if 0 else","(1 if 0) is defined","(1 if 0) | default('d')","[1 if 0]","{'a': 1 if 0}","(1 if 0) | length","(1 if 0) == ''","(1 if 0) ~ 'x'","(1 if 0) + 'x'","(1 if 0).x","('' if 0) or 'z'","1 if 0 else 2 if 0 else 3","(1 if 1 else 2) + 1","1 if 1 else 2 + 1","0 or none","none or 0","0 and x","1 or x","x and 1","x or 1","'' or [] or {} or 'last'","1 and 2 and 3","not x","[x]|length","[x]","{'a':x}","(x,)","{x:1}","x is defined and x","x is not defined","x is undefined or 1","(x)|default(1)","x|default(y)|default(2)","x.y|default(1)","(x|default({})).y|default(3)","d.a.zz|default(4)","d.zz.a|default(4)","x|d","x|d('a')|upper","d['a']['x']","d['a'].x","d.a['x']","d|attr('a')","users[0].name","users.0.name","users[-1]['name']","users[0]['name'][0]","users|map(attribute='name')|join(',')","users[5]","users[5].name","users[0:2]|length","users|selectattr('age','gt',26)|map(attribute='name')|list","users|groupby('age')|map('first')|list","users|sum(attribute='age')","(users|sort(attribute='name'))[0].name","(users|first).name","range(10)[2:5]","range(10)[::-1]","range(0,10,3)|list","range(3)|string","range(3)==range(3)","range(3)==range(0,3,1)","range(3)|reverse|list","range(10**12)|length","range(10**12)[5]","range(10**12)","10**5 in range(10**12)","dict(a=1)==dict([('a',1)])","dict({'a':1},b=2)","dict([('a',1)],a=2)","dict(1)","dict('ab')","dict(['ab'])","dict(**{'a':1})","dict(*[{'a':1}])","namespace().x","namespace(x=1)","namespace({'a':1},b=2).b","namespace(x=1).x","namespace(x=1)['x']","namespace(x=1) == namespace(x=1)","namespace(x=1)|length","namespace(x=1) is mapping","joiner()","cycler('a','b').current","cycler()","lipsum()|length>10","lipsum(html=false)|length>10","lipsum(n=1,html=true,min=2,max=4)|length>3","lipsum is callable","range is callable","range","dict","namespace","cycler","joiner"]:
        E.append(ex(e))
    return E


def templates():
    yield from filters()
    yield from methods_and_formats()
