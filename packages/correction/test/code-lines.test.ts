import { describe, expect, it } from 'vitest';
import { isCodeLine } from '../src/code-lines.js';
import { isDataLine } from '../src/command-lines.js';
import { correctText } from '../src/index.js';
import { scriptedCorrector } from './scripted-corrector.js';

/** One a line, with what languages make of comments. */
const CODE = `
return arg + 1  # comment
return arg + 1
x = 5 # the number
total += 1 // add one
margin auto /* teh cat */
begin work  -- start teh thing
let y = foo(x) // call foo
select name from users -- all of them
SELECT * FROM users WHERE id = 3 -- all users
mov eax, ebx ; copy the value
push rbp ; save
(define x 5) ; the number
(setq x 5) ;; set it
int x = 5; /* set x */
int count; // how many
count; // how many
unsigned long part;         // accumulated trailer component
PyObject *ptr;  /* cached pointer */
foo(bar)  /* calls it */
int f_lasti;                /* last instruction if called */
import os  # standard library
import numpy as np  # arrays
from os import path  # paths
use std::io; // io
pass  # nothing to do
break // leave the loop
else:  # otherwise
else { // otherwise
} // end of loop
end -- of the loop
local x = 5 -- set the value
return x -- the result
return -1 /* failed */
return not x  # invert
return a if b else c  # choose
if x > 5 then -- compare
for i in range(10):  # loop
while True:  # forever
for key, value in items:
with open(f) as g:  # read
except KeyError:  # missing
raise ValueError("bad")  # oops
assert x == y  # check
@property  # accessor
def f(x):  # does it
class Foo(Bar):  # a class
println!("hi") // greet
fmt.Println("hi") // greet
puts "hi" # greet
attr_reader :name # reads
let mut n = 0; // count
x := 5 // set
x <- c(1, 2) # vector
$x = 5; # set
my $x = 5; # set
'key': 5,  # the key
name: foo # the name
x = [1, 2] % the vector
color: red; /* the colour */
cd /tmp # go there
git commit -m "fix" # save it
echo $HOME # prints it
npm start   # builds, and shows it
$ git push origin main
#include <stdio.h>
const foo: string = bar // typed
if (x == NULL) // nothing there
});
foo.bar(1).baz(2)
"name": "teh cat",
return nil, &net.OpError{Op: "dial"}
var err error
for x in teh { print(x) }
find . -name x; done
id,nmae,vlaue
-rw-r--r-- 1 root root 4096 Jan  2 12:30 teh
Jan  2 12:30:01 host sshd[123]: Failed pasword for root
127.0.0.1 - - [02/Jan/2024:12:30:01 +0000] "GET /teh HTTP/1.1" 404 123
2024-01-02 12:30:01,123 ERROR [main] conection refused
use std::io;
return result
import React
require 'rails'
mainTask: "text-generation";
diff --git a/teh.js b/teh.js
sudo apt-get install -y pyhton3
git checkout -b teh-feature
git status
npm run biuld
pip install numpy pandas teh
kubectl get pods -n teh
systemctl restart teh
make install
make test
chmod +x teh.sh
vim teh.txt
cp teh.txt wrold.txt
cd ~/teh
ssh root@teh.example -p 22
curl -X POST https://api.teh.example/v1
docker run -it --rm teh
rustup toolchain --teh
teh file.txt | grep wrold
PS C:\\> Get-ChildItem -Path teh
C:\\teh> dir wrold
{"name": "teh cat", "tags": ["cute", "wrold"]}
[{'id': 1, 'txt': 'helo wrold'}]
["teh", "wrold"],
`
  .trim()
  .split('\n');

const PROSE = `
i have a dog # my pet
cats(teh wrold sat there
the answer = no idea
milk + eggs -- from teh shop
we went home // it was late
cats && dogs are great
if you go there: take a coat
for example:
for all in need:
see item(s) below
dog(s) and cat(s) # pets
return home before dark
return to sender # please
import taxes rose last year
he said (teh other day) that he wos here
go home -> eat -> sleep
my number is 5 # dont forget
i like c++ and c# alot
pick one: a, b or c ; then go
she was late ; he wasnt
what is 2 + 2 # math question
A = large hall filled with rows
let me know ; thanks
let x be a number
class starts at nine
from here to there
do it then
with love:
select a seat from the list
update your phone -- now
his car is faster than hers -- i think
dear sir or madam,
new_york is great #travel #food
teh cat likes alot of x1
we ate well  # yesterday
teh big dog runs  # fast
red apples;
see e.g. teh cat;
foo is great # lol
john // 555 1234
print this page ; sign it
teh (
price = 10 dollars # cheap
as shown in [1] and [2]
see teh paper [12] first
return it, and wait
the set {a, b}
from liability.
use autoreconf::
using defoma.
return home.
assert dominance!
moral rights retained by teh author(s) and/or performer(s);
subject to limits in paragraph 4(a), below;
models such as BERT, RoBERTa, DistilBERT;
teh long foo_bar option of cats;
use of teh cats;
\`searched\`: beam search | eins zwei drei
we like cats,dogs,and birds
git is a sistem for versions
git rebase is worse than merge
make teh bed
make test cases
make sure you test
cat sat on teh mat
find teh keys
go to teh store
gem stones are nice
brew a good coffe
curl up with a good book
he went -a lot of it
see you tomorow -bob
teh good | teh bad
[she said] i dont no
["I like it", he said] and he left
The function \`foo_bar(x)\` is slow # i think
`
  .trim()
  .split('\n');

describe('lines of code', () => {
  it.each(CODE)('%s', async (line) => {
    expect(isCodeLine(line) || isDataLine(line)).toBe(true);
    const asked: string[] = [];
    const eager = scriptedCorrector((text) => text.toUpperCase(), { onText: (text) => asked.push(text) });
    const text = `    ${line}`;
    expect((await correctText(eager, text)).text).toBe(text);
    expect(asked).toEqual([]);
  });

  it.each(PROSE)('but not: %s', (line) => {
    expect([isCodeLine(line), isDataLine(line)]).toEqual([false, false]);
  });

  it('longer than a statement are told by their ends', async () => {
    const eager = scriptedCorrector((text) => text.replaceAll('teh', 'the'), { sureness: () => 20 });
    const long = 'and teh cat sat on a mat '.repeat(30);
    expect((await correctText(eager, `${long}f(x);`)).text).toBe(`${long}f(x);`);
    const data = `{"text": "${long}", "teh": [1, 2]}`;
    expect((await correctText(eager, data)).text).toBe(data);
    expect((await correctText(eager, `${long}sat.`)).text).toBe(`${long.replaceAll('teh', 'the')}sat.`);
  });
});
